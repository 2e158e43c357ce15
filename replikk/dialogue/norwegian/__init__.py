"""Norwegian text for speech: what is written becomes what is said, in Bokmål (``nb``) and Nynorsk (``nn``).

``speakable`` turns a line into words; ``readings`` lists the usual ways to say one written number, for judges;
``equivalent_words`` lists spellings that no judge may count as errors; ``cardinal`` and ``ordinal`` stand alone.
The rules live in modules by subject, their order in ``speakable``.
"""

from replikk.dialogue.norwegian.cardinals import cardinal, ordinal
from replikk.dialogue.norwegian.readings import equivalent_words, readings
from replikk.dialogue.norwegian.speakable import VERSION, speakable

__all__ = ["VERSION", "cardinal", "equivalent_words", "ordinal", "readings", "speakable"]
