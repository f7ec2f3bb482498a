// The style of a report: a page to read, in the reader's light or dark.
#pragma once

#include <string_view>

namespace kith::simnet {

inline constexpr std::string_view kPageStyle = R"css(
:root{color-scheme:light dark;--bg:#fbfaf7;--card:#fff;--ink:#1c2228;--soft:#636d76;--line:#dcd9d0;
--c0:#2b6c8f;--c1:#c2622d;--c2:#5b8c3a;--c3:#8a5aa8;--c4:#b08a1e;--c5:#3f8f8a;--good:#2c7a4b;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--bg:#14181c;--card:#1b2026;--ink:#e4e6e8;--soft:#98a2ab;
--line:#343c44;--c0:#6db3d6;--c1:#e69a6a;--c2:#9ccb78;--c3:#c39be0;--c4:#dcbb5c;--c5:#7fcac4;
--good:#6cc48c;--bad:#ff8a80}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:1060px;margin:0 auto;padding:28px 22px 60px}
h1{margin:0;font-size:28px;display:inline-block;margin-right:12px}
h2{margin:38px 0 10px;font-size:19px;border-bottom:1px solid var(--line);padding-bottom:4px}
.badge{padding:3px 11px;border-radius:12px;font-size:14px;font-weight:600;color:var(--bg);
background:var(--good);vertical-align:6px}
.badge.bad{background:var(--bad)}
.sentence{font-size:20px;margin:14px 0 4px;overflow-wrap:anywhere}
.soft,.about{color:var(--soft);font-size:14px;overflow-wrap:anywhere}
.failed{border-left:4px solid var(--bad);background:var(--card);padding:8px 14px;margin:8px 0;overflow-wrap:anywhere}
.failed b{color:var(--bad)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(158px,1fr));gap:12px;margin-top:18px}
.tile{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 14px}
.tile b{display:block;font-size:23px;white-space:nowrap;line-height:1.25;font-weight:600}
.tile span{color:var(--soft);font-size:13px}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,440px),1fr));gap:16px}
figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 12px}
figcaption{font-size:14px;font-weight:600}
svg{display:block;width:100%;height:auto}
svg text{font:11px system-ui,sans-serif;fill:var(--soft)}
.end{text-anchor:end}.middle{text-anchor:middle}
.grid{stroke:var(--line);stroke-width:1}.axis{stroke:var(--soft);stroke-width:1}
.shade{fill:var(--c1);opacity:.13}
.line{fill:none;stroke-width:1.6;stroke-linejoin:round}
.bar{fill:var(--c0)}.span{fill:var(--c1);opacity:.35}.mark{stroke:var(--c1);stroke-width:1.6}
.s0{stroke:var(--c0)}.s1{stroke:var(--c1)}.s2{stroke:var(--c2)}.s3{stroke:var(--c3)}.s4{stroke:var(--c4)}.s5{stroke:var(--c5)}
.b0{background:var(--c0)}.b1{background:var(--c1)}.b2{background:var(--c2)}.b3{background:var(--c3)}.b4{background:var(--c4)}.b5{background:var(--c5)}
.g0{fill:var(--c0);stroke:var(--c0)}.g1{fill:var(--c1);stroke:var(--c1)}.g2{fill:var(--c2);stroke:var(--c2)}
.g3{fill:var(--c3);stroke:var(--c3)}.g4{fill:var(--c4);stroke:var(--c4)}.g5{fill:var(--c5);stroke:var(--c5)}
.down{fill:none}.edge{stroke:var(--soft);stroke-width:.7;fill:none}
.network{max-width:620px;margin:0 auto}
.legend{margin:4px 0 0;font-size:13px;color:var(--soft)}
.legend span{display:inline-block;margin-right:12px}.legend i{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:5px}
.figures{columns:3 280px;column-gap:26px;font-size:14px}
.figures div{display:flex;justify-content:space-between;gap:10px;border-bottom:1px solid var(--line);
break-inside:avoid;padding:1px 0;font-variant-numeric:tabular-nums}
.figures span{color:var(--soft);overflow-wrap:anywhere}
.parameters{columns:3 280px;column-gap:16px;font-size:14px}
.parameters table{width:100%;border-collapse:collapse;background:var(--card);border:1px solid var(--line);
margin:0 0 12px;break-inside:avoid}
.parameters caption{text-align:left;font-weight:600;padding:2px 0}
.parameters th{text-align:left;font-weight:400;color:var(--soft);padding:1px 10px;vertical-align:top}
.parameters td{text-align:right;padding:1px 10px;overflow-wrap:anywhere}
ul.checks{margin:6px 0;padding-left:20px;font-size:14px}
pre{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 14px;
overflow-x:auto;font-size:13px;white-space:pre-wrap;overflow-wrap:anywhere}
)css";

}  // namespace kith::simnet
