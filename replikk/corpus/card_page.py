"""The card's HTML. Jinja escapes every value; the page loads nothing but its own clips."""

from __future__ import annotations

from typing import Any

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; media-src 'self'">
<title>Corpus</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8886; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { display: inline-block; margin: 0 1rem 1rem 0; }
figcaption { font-size: .9rem; }
svg { display: block; }
rect { fill: #3a7ca5; }
audio { width: 16rem; max-width: 100%; }
.read { font-size: .85rem; opacity: .8; }
</style>
</head>
<body>
<h1>Corpus</h1>
<p>{{ "%.2f"|format(hours.kept) }} hours are kept of {{ "%.2f"|format(hours.fetched) }}:
{{ "%.2f"|format(hours.train) }} to train on (speakers: {{ speakers.train }}) and
{{ "%.2f"|format(hours.held_out) }} held out (other speakers: {{ speakers.held_out }}).
The speaker with most has {{ "%.0f"|format(100 * largest_speaker_share) }} % of it.
{% if separated %}{{ separated }} utterances were taken out of noise.{% endif %}</p>
{% if not speakers.held_out %}
<p>Nothing is held out: that takes two speakers, of whom one has less than half.</p>{% endif %}
<h2>Sources and licences</h2>
<table><thead><tr><th>Source</th><th>Kind</th><th>Licence</th><th class="number">Hours kept</th></tr></thead><tbody>
{% for source in sources %}<tr><td>{{ source.name }}</td><td>{{ source.kind }}</td><td>{{ source.licence }}</td>
<td class="number">{{ "%.2f"|format(source.hours) }}</td></tr>{% endfor %}
</tbody></table>
<h2>Stages</h2>
<table><thead><tr><th>Stage</th><th class="number">In</th><th class="number">Out</th><th class="number">Hours out</th>
<th>Dropped, and why</th></tr></thead><tbody>
{% for stage in stages %}<tr><td>{{ stage.name }}</td><td class="number">{{ stage["in"] }}</td>
<td class="number">{{ stage.out }}</td><td class="number">{{ "%.2f"|format(stage.out_s / 3600) }}</td>
<td>{% for reason, count in stage.dropped.items() %}{{ count }}: {{ reason }}<br>{% endfor %}</td></tr>{% endfor %}
</tbody></table>
<table><tbody>
{% for what, model in made_by.items() %}<tr><th>{{ what }}</th><td>{{ model }}</td></tr>{% endfor %}
</tbody></table>
<h2>Distributions</h2>
{% for name, bars in histograms.items() %}
<figure><svg width="260" height="90" role="img" aria-label="{{ name }}: median {{ "%.2f"|format(bars.median) }}">
{% set most = bars.counts|max %}{% for count in bars.counts %}
<rect x="{{ 4 + loop.index0 * 10.5 }}" y="{{ 86 - 80 * count / most }}" width="9"
height="{{ 80 * count / most }}"></rect>
{% endfor %}</svg>
<figcaption>{{ name }}: {{ "%.1f"|format(bars.low) }} to {{ "%.1f"|format(bars.high) }},
median {{ "%.1f"|format(bars.median) }}</figcaption></figure>
{% endfor %}
<h2>{{ clips|length }} clips to listen to</h2>
<table><tbody>
{% for clip in clips %}<tr><td><audio controls preload="none" src="clips/{{ clip.id }}.flac"></audio></td>
<td>{{ clip.text }}<div class="read">first reading: {{ clip.first }}<br>second reading: {{ clip.second }}<br>
{{ "%.1f"|format(clip.duration_s) }} s, {{ clip.split }}{% if clip.separated %}, taken out of noise
{% endif %}</div></td></tr>
{% endfor %}
</tbody></table>
</body>
</html>
"""


def card_html(figures: dict[str, Any], clips: list[dict[str, Any]]) -> str:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(_PAGE).render(**figures, clips=clips)
