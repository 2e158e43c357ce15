"""Norwegian text for speech: what is written becomes what is said, in Bokmål (``nb``) and Nynorsk (``nn``).

``speakable`` turns a line into words; ``readings`` lists the usual ways to say one written number, for judges;
``equivalents`` lists spellings that no judge may count as errors; ``cardinals`` stands alone. The rules live in modules
by subject, their order in ``speakable``. Nothing is imported here: all rules together are some 140 regular expressions,
and who only asks for ``VERSION`` must not wait for them.
"""

VERSION = 3
"""Belongs in the key of whatever caches what is said: raise it when any rule changes that."""
