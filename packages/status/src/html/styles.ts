/**
 * The style sheet of the status page: thin lines instead of boxes, one accent colour, figures of fixed width.
 * Below 700 px it has one column; from 1100 x 740 on it fits one screen, in which long lists scroll.
 */
export const STYLES = `
:root{color-scheme:light dark;--paper:#fbfbf9;--sheet:#fff;--ink:#1b1d21;--soft:#5c6068;--line:#dcdcd6;--fill:#ecebe6;
--accent:#1d5fbf;--accent-soft:#a9c6ef;--good:#1c7a46;--warn:#8f5a00;--bad:#b3261e;--on-accent:#fff}
@media (prefers-color-scheme:dark){:root{--paper:#131519;--sheet:#1b1e24;--ink:#e7e8ea;--soft:#9da2ab;--line:#2d313a;--fill:#262a32;
--accent:#7db0ff;--accent-soft:#2f4d7d;--good:#6bcb94;--warn:#e5b05c;--bad:#ff8a80;--on-accent:#0d1422}}
*{box-sizing:border-box}
html{background:var(--paper);color:var(--ink);font:14px/1.45 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums;-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:0 20px 20px;max-width:1440px}
h1,h2,p,dl,dd,ul,table{margin:0;padding:0}
h1{font-size:14px;font-weight:650;letter-spacing:-.01em}
h2{font-size:11px;font-weight:600;letter-spacing:.07em;text-transform:uppercase;color:var(--soft);margin-bottom:6px}
code{font:12px/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
a{color:var(--accent)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.quiet,.seq,.unit,.source,.plot,.plot p{color:var(--soft)}
.seq{font-size:12px}
.masthead{display:flex;flex-wrap:wrap;gap:2px 16px;align-items:baseline;justify-content:space-between;padding:12px 0;border-bottom:1px solid var(--line)}
.masthead p{color:var(--soft)}
.masthead nav a{margin-right:10px}
.masthead .host{color:var(--ink);font-weight:400}
#pulse.lost{color:var(--bad);font-weight:600}
.notice{margin:10px 0 0;padding:8px 12px;border-left:3px solid var(--accent);background:var(--fill);overflow-wrap:anywhere}
.notice.bad,.notice.failed{border-color:var(--bad)}
.notice.warn{border-color:var(--warn)}
.notice.good{border-color:var(--good)}
.notice.quiet{border-color:var(--line)}
#warnings{min-height:160px}
.reloads{margin:10px 0 0;color:var(--soft)}
@media (scripting:enabled){.reloads{display:none}}
.answer{position:fixed;z-index:2;left:12px;right:12px;bottom:12px;margin:0 auto;max-width:640px;max-height:40vh;overflow:auto;display:flex;align-items:baseline;background:var(--fill);box-shadow:0 8px 32px #0004}
.answer:has(.notice:empty){box-shadow:none}
.answer .notice{flex:1;margin:0;white-space:pre-line}
.answer .notice:empty{padding:0;border:0}
.answer a{padding:8px 12px}
.answer .notice:empty+a{display:none}
.hero{display:grid;grid-template-columns:minmax(0,1fr);gap:14px;padding:16px 0 14px}
.state{display:flex;flex-wrap:wrap;align-items:baseline;gap:0 14px}
.state strong{font-size:34px;line-height:1.15;font-weight:600;letter-spacing:-.025em}
.state .word{font-size:18px;font-weight:600}
.word::before{content:"";display:inline-block;width:9px;height:9px;border-radius:50%;background:currentColor;margin-right:7px;vertical-align:1px}
.mood-good .word{color:var(--good)}
.mood-begun .word{color:var(--accent)}
.mood-warn .word{color:var(--warn)}
.mood-bad .word{color:var(--bad)}
.mood-quiet .word{color:var(--soft)}
.lost main>:not(#warnings,.answer){filter:grayscale(1)}
p.warn{color:var(--warn)}
.reason{color:var(--soft);overflow-wrap:anywhere;min-width:0}
.track{margin:8px 0 2px;line-height:0}
.track-all{fill:var(--fill)}.track-reader{fill:var(--accent-soft)}.track-applied{fill:var(--accent)}.track-mark{fill:var(--ink)}
.track-ends{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 16px;font-size:12px;color:var(--soft)}
.times{display:flex;flex-wrap:wrap;gap:4px 28px;margin-top:8px}
.times div{display:block;padding:0;border:0}
.times dt{font-size:12px}
.times dd{text-align:left;font-size:16px;font-weight:500}
.controls{display:flex;flex-wrap:wrap;gap:8px;align-items:flex-start}
.button{appearance:none;font:inherit;font-weight:500;line-height:1.4;color:var(--ink);background:var(--sheet);border:1px solid var(--line);border-radius:6px;padding:6px 12px;min-height:34px;cursor:pointer;list-style:none;display:inline-block}
#do-pause,#do-resume{min-width:86px}
.button:hover:not(:disabled){border-color:var(--soft)}
.button:disabled{color:var(--soft);background:none;cursor:not-allowed}
.button.primary{background:var(--accent);border-color:var(--accent);color:var(--on-accent)}
.button.danger{background:var(--bad);border-color:var(--bad);color:var(--on-accent)}
dd form{display:inline}
dd .button{min-height:0;padding:1px 8px;margin-left:6px}
summary::-webkit-details-marker{display:none}
details[open]>summary{border-color:var(--accent);color:var(--accent)}
.sheet{margin-top:8px;padding:14px;background:var(--sheet);border:1px solid var(--line);border-radius:8px;max-width:440px}
.sheet p{margin-bottom:10px;color:var(--soft)}.sheet p b{color:var(--ink)}
.sheet form+form{margin-top:14px}
.fields{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:8px 12px;margin-bottom:12px}
.field label{display:block;font-size:12px;color:var(--soft)}
.sheet .field:only-of-type{margin-bottom:10px}
input:not([type=checkbox]),select{width:100%;font:inherit;color:inherit;background:var(--paper);border:1px solid var(--soft);border-radius:5px;padding:5px 8px;min-height:32px}
input::placeholder{color:var(--soft);opacity:1}
.check{display:flex;gap:8px;align-items:center;margin-bottom:12px}
.panels{display:grid;grid-template-columns:minmax(0,1fr);border-top:1px solid var(--line)}
.panel{padding:12px 0;border-bottom:1px solid var(--line);min-width:0}
.figure{font-size:26px;line-height:1.2;font-weight:600;letter-spacing:-.02em;margin-bottom:6px}
.figure .unit{font-size:13px;font-weight:400;letter-spacing:0}
dl>div{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 12px;padding:2px 0}
dt{color:var(--soft)}
dd{text-align:right;overflow-wrap:anywhere}
dl>.sub{padding-left:12px;font-size:13px;line-height:1.3}
.warn dd,li.warn b{color:var(--warn);font-weight:600}
.bad dd{color:var(--bad);font-weight:600}
progress{appearance:none;display:block;width:100%;height:4px;border:0;border-radius:2px;background:var(--fill);margin:2px 0 8px;overflow:hidden}
progress::-webkit-progress-bar{background:var(--fill)}
progress::-webkit-progress-value{background:var(--accent)}
progress::-moz-progress-bar{background:var(--accent)}
progress.over::-webkit-progress-value{background:var(--bad)}
progress.over::-moz-progress-bar{background:var(--bad)}
.shares{display:block;margin:2px 0 8px;border-radius:2px}
.share-processed{fill:var(--accent)}.share-skipped{fill:var(--accent-soft)}.share-dead{fill:var(--bad)}
.figures .panel,.figures .panel>div{display:flex;flex-direction:column;flex:1}
.figures dl+*{margin-top:auto}
.ranges{display:flex;gap:14px;padding:4px 0;font-size:12px;justify-content:flex-end}
.ranges a[aria-current]{color:var(--ink);font-weight:600;text-decoration:none}
.plot{margin:0;padding-top:6px;height:120px;flex:none;font-size:11px;line-height:13px;display:grid;grid-template:14px 12px 1fr 14px/auto minmax(0,1fr);gap:0 6px}
.plot-empty{display:block}
.plot figcaption{grid-column:1/-1;display:flex;justify-content:space-between}
.plot-y{grid-row:3;display:flex;flex-direction:column;justify-content:space-between;text-align:right;margin:-6px 0}
.plot-area{grid-row:2/4;grid-column:2;display:flex;flex-direction:column;min-height:0}
.plot-area svg{display:block;width:100%;flex:1;min-height:0;overflow:visible}
.plot-area .plot-labels{flex:none;fill:var(--warn);font-weight:600;font-size:11px}
.plot-x{grid-row:4;grid-column:2;display:flex;justify-content:space-between;padding-top:1px}
.plot-area path{fill:none;vector-effect:non-scaling-stroke}
.plot-grid{stroke:var(--line)}
.plot-line{stroke:var(--accent);stroke-width:1.25}
.plot-reference{stroke:var(--ink);stroke-dasharray:4 3}
.plot-key::before{content:"";display:inline-block;width:16px;margin-right:4px;vertical-align:3px;border-top:1px dashed var(--ink)}
.plot-mark{stroke:var(--warn);stroke-opacity:.7}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;font-weight:400;padding:2px 10px 2px 0;vertical-align:baseline;overflow-wrap:anywhere}
th:last-child,td:last-child{padding-right:0}
th,.source,time{overflow-wrap:normal}
#position th{white-space:nowrap}
thead th{font-size:12px;color:var(--soft)}
#settings table{font-size:13px}
#position table{font-size:13px}
.number{text-align:right;white-space:nowrap}
#position dl{margin-top:6px}
.source:not(.source-default):not(.source-profile){color:var(--ink);font-weight:600}
.log{list-style:none;overflow-wrap:anywhere}
.log-row{flex:none;padding:10px 0}
.log-row .log{max-height:260px;overflow:auto;margin-top:6px}
.log li{padding:3px 0 5px}
.log time,.log br+code{color:var(--soft)}
.log time{margin-left:6px}
.runs{list-style:none;border-top:1px solid var(--line)}
.run{padding:10px 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
.run-name a{font-weight:600}
.run .word{font-weight:600}
.run dl{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:4px 16px;margin-top:4px}
.run dl>div{display:block;padding:0}
.run dt{font-size:12px}
.run dd{text-align:left}
.run .shares{margin:3px 0 0}
.runs-open,.runs-past{padding:6px 0 14px}
#controls:empty{display:none}
.runs-open .controls{justify-content:flex-start;margin-top:12px;max-width:none}
@media (max-width:699px){body:has(.runs-open) #warnings{min-height:78px}}
@media (max-width:420px){
#position table,#settings table{font-size:12px}
th,td{padding-right:6px}
#position .number{white-space:normal;overflow-wrap:normal}
#settings td:nth-child(2){min-width:11ch}
}
@media (min-width:420px){#warnings{min-height:96px}}
@media (min-width:700px){
#warnings{min-height:78px}
.run dl{grid-template-columns:minmax(0,6fr) minmax(0,4fr) minmax(0,6fr) minmax(0,3fr) minmax(0,6fr) minmax(0,4fr)}
.panels{grid-template-columns:repeat(2,minmax(0,1fr))}
.panel{padding:12px 20px}
.panels .panel:nth-child(odd){padding-left:0;border-right:1px solid var(--line)}
.panels .panel:nth-child(even){padding-right:0}
.panels.lists .panel:last-child{grid-column:1/-1;padding-left:0;border-right:0;padding-right:0}
}
@media (min-width:1100px){
#warnings{min-height:68px}
.hero{grid-template-columns:minmax(0,1fr) auto;gap:32px;align-items:start}
.controls{justify-content:flex-end;max-width:480px}
details{position:relative}
.runs-open .sheet{right:auto;left:0}
.run{display:grid;grid-template-columns:minmax(0,2fr) minmax(0,5fr);gap:0 24px;padding:6px 0}
.run-state{grid-row:2}
.run dl{grid-area:1/2/3;margin:0}
.run:not(:first-child) dt{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.sheet{position:absolute;right:0;top:100%;z-index:1;width:400px;box-shadow:0 12px 32px #0003}
.panels{grid-template-columns:repeat(4,minmax(0,1fr))}
.panels.lists{grid-template-columns:minmax(0,4fr) minmax(0,4fr) minmax(0,5fr);border-top:0}
.panels.lists:has(.panel:nth-child(4)){grid-template-columns:minmax(0,3fr) minmax(0,4fr) minmax(0,4fr) minmax(0,4fr)}
.panels .panel,.panels .panel:nth-child(odd),.panels .panel:nth-child(even){padding:12px 20px;border-right:1px solid var(--line)}
.panels .panel:first-child{padding-left:0}
.panels .panel:last-child,.panels.lists .panel:last-child{padding-right:0;border-right:0;padding-left:20px;grid-column:auto}
.panels.lists .panel{border-bottom:0}
}
@media (min-width:1100px) and (min-height:740px){
body{height:100vh;padding-bottom:0;display:flex;flex-direction:column}
.masthead,#warnings,.hero,.ranges,.panels.figures{flex:none}
main{flex:1;min-height:0;display:flex;flex-direction:column}
.panels.lists{flex:1;min-height:110px}
body:has(.runs-open){height:auto;padding-bottom:20px}
.lists .panel{overflow:auto;min-height:0}
}
@media (prefers-reduced-motion:no-preference){progress,.button{transition:border-color .15s}}
`;
