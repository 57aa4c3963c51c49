/** The style sheet of the report: the page's colours and lines, for a document that is read and printed. */
export const REPORT_STYLES = `
:root{color-scheme:light dark;--paper:#fbfbf9;--ink:#1b1d21;--soft:#5c6068;--line:#dcdcd6;--accent:#1d5fbf;--warn:#8f5a00}
@media (prefers-color-scheme:dark){:root{--paper:#131519;--ink:#e7e8ea;--soft:#9da2ab;--line:#2d313a;--accent:#7db0ff;--warn:#e5b05c}}
*{box-sizing:border-box}
html{background:var(--paper);color:var(--ink);font:14px/1.5 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
body{margin:0 auto;padding:24px 20px 48px;max-width:920px}
h1{font-size:20px;letter-spacing:-.015em;margin:0;overflow-wrap:anywhere}
h2{font-size:11px;letter-spacing:.07em;text-transform:uppercase;color:var(--soft);margin:32px 0 8px;border-top:1px solid var(--line);padding-top:12px}
h3{font-size:13px;font-weight:600;margin:18px 0 2px}
p{margin:4px 0;overflow-wrap:anywhere}
.quiet{color:var(--soft)}
.result{font-size:26px;font-weight:600;letter-spacing:-.02em;margin-top:20px}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;font-weight:400;padding:3px 16px 3px 0;vertical-align:baseline;overflow-wrap:anywhere}
th{color:var(--soft);white-space:nowrap}
code{font:12px/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
svg{display:block;width:100%;height:auto;min-width:560px}
section{overflow-x:auto}
svg text{fill:var(--soft);font-size:11px}
.grid{stroke:var(--line);fill:none}
.line{stroke:var(--accent);stroke-width:1.5;fill:none;stroke-linejoin:round}
.reference{stroke:var(--soft);stroke-dasharray:4 4;fill:none}
.mark{stroke:var(--warn);stroke-opacity:.6;fill:none}
svg .mark-label{fill:var(--warn);font-weight:600}
ol{margin:0;padding-left:28px}
li{padding:2px 0;overflow-wrap:anywhere}
li::marker{color:var(--warn);font-weight:600}
time{color:var(--soft);margin-right:6px}
@media print{html{background:none}section{break-inside:avoid}}
`;
