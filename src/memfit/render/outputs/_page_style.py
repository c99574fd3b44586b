"""The style sheet of the HTML page."""

from __future__ import annotations

from memfit.render.drawing.palette import DARK, FONT, LIGHT, TEXT_CSS, Palette, picture_css


def _variables(palette: Palette) -> str:
    names = ("page", "panel", "ink", "quiet", "rule", "ok", "warn", "bad")
    return ":root{" + ";".join(f"--{name}:{getattr(palette, name)}" for name in names) + "}"


_RULES = f"""*{{box-sizing:border-box}}
body{{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 {FONT};overflow-wrap:anywhere}}
main{{max-width:824px;margin:0 auto;padding:28px 32px 56px}}
h1{{font-size:1.45rem;line-height:1.25;margin:0 0 14px;letter-spacing:-.01em}}
h2{{font-size:1rem;margin:0 0 8px}}
section,figure,details{{margin:30px 0 0}}
figure{{margin-inline:0}}
.verdict{{margin:0 0 20px;padding:13px 18px;background:var(--panel);border-radius:4px;
border-left:5px solid var(--quiet)}}
.verdict strong{{font-size:1.25rem;margin-right:.35em}}
.verdict.ok{{border-color:var(--ok)}}.verdict.ok strong,.tone-ok{{color:var(--ok)}}
.verdict.warn{{border-color:var(--warn)}}.verdict.warn strong,.tone-warn{{color:var(--warn)}}
.verdict.bad{{border-color:var(--bad)}}.verdict.bad strong,.tone-bad{{color:var(--bad)}}
.facts{{margin:0;font-size:.92rem}}
.facts div{{display:flex;gap:12px;padding:2px 0}}
.facts dt{{flex:0 0 6.5em;color:var(--quiet)}}
.facts dd{{margin:0;flex:1;min-width:0}}
.scroll{{overflow-x:auto}}
table{{border-collapse:collapse;width:100%;font-size:.92rem;font-variant-numeric:tabular-nums}}
th,td{{padding:5px 14px 5px 0;text-align:left;vertical-align:baseline;border-bottom:1px solid var(--rule);
overflow-wrap:normal;min-width:max-content}}
th:last-child,td:last-child{{padding-right:0}}
tbody th,tfoot th{{font-weight:inherit;overflow-wrap:anywhere;min-width:7.5em}}
thead th{{font-weight:600;color:var(--quiet);font-size:.82rem;border-bottom:2px solid var(--rule);white-space:nowrap}}
.number{{text-align:right;white-space:nowrap}}
.number+:not(.number){{padding-left:10px}}
.brief{{white-space:nowrap}}
th.number:first-child{{width:5.5em;min-width:0}}
.prose{{overflow-wrap:anywhere;min-width:14em}}
.quiet{{color:var(--quiet)}}
tbody tr:last-child>*{{border-bottom-width:2px}}
tfoot tr>*{{border-bottom:0;padding-block:3px}}
tfoot tr:first-child>*{{padding-top:7px}}
tfoot tr:first-child>*,tfoot tr:last-child>*{{font-weight:600}}
ul{{margin:0;padding-left:1.2em;font-size:.92rem}}
li{{padding:2px 0}}
ul.warn li::marker{{content:"!  ";color:var(--warn);font-weight:700}}
ul.bad li::marker{{content:"✗  ";color:var(--bad);font-weight:700}}
ul.ok li::marker{{content:"✓  ";color:var(--ok);font-weight:700}}
.note{{color:var(--quiet);font-size:.92rem;margin:14px 0 4px}}
.command{{margin:4px 0 0;padding:10px 14px;background:var(--panel);border-radius:4px;overflow-x:auto;font-size:.88rem}}
.lines{{margin:4px 0 0;padding:10px 14px;background:var(--panel);border-radius:4px;overflow-x:auto;font-size:.88rem}}
.command code::before{{content:"$ ";color:var(--quiet)}}
summary{{cursor:pointer;font-weight:600}}
details section{{margin-top:12px}}
details h2{{font-size:.88rem;color:var(--quiet);font-weight:600}}
svg{{display:block;width:100%;height:auto;overflow:visible}}
svg.narrow{{display:none}}
.scroll:focus-visible,pre:focus-visible,summary:focus-visible{{outline:2px solid var(--ink);outline-offset:3px}}
@media (max-width:620px){{
main{{padding:18px 16px 40px}}
h1{{font-size:1.2rem}}
svg.wide{{display:none}}svg.narrow{{display:block}}
table,.facts{{font-size:.84rem}}
th,td{{padding-right:9px}}
.scroll tr>*:first-child{{position:sticky;left:0;background:var(--page)}}
.facts dt{{flex-basis:4.6em}}
}}"""

_PRINT = f"""@media print{{
{_variables(LIGHT)}
{picture_css(LIGHT)}
@page{{margin:16mm}}
main{{max-width:none;padding:0}}
body{{font-size:10.5pt}}
section,figure,tr,.verdict{{break-inside:avoid}}
summary{{break-after:avoid}}
details section{{break-inside:auto}}
.scroll{{overflow:visible}}
.command{{white-space:pre-wrap}}
details::details-content{{display:block;content-visibility:visible;height:auto}}
.verdict,.command{{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
svg{{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
}}"""

STYLE = "\n".join(
    (
        _variables(LIGHT),
        _RULES,
        TEXT_CSS,
        picture_css(LIGHT),
        f"@media (prefers-color-scheme:dark){{\n{_variables(DARK)}\n{picture_css(DARK)}\n}}",
        _PRINT,
    )
)
