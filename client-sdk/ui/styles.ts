/**
 * The look of the window. The picture's ground is dark in both colour schemes, as faces are seen best against it; the row
 * of buttons follows the scheme of the page.
 */
const CARD = `
:host{--_stage:var(--teleconsult-stage,#0c1519);--_stage-text:var(--teleconsult-stage-text,#eef5f6);
--_bar:var(--teleconsult-bar,#fff);--_text:var(--teleconsult-text,#13222a);--_button:var(--teleconsult-button,#eaf0f1);
--_accent:var(--teleconsult-accent,#0a6c74);--_on-accent:var(--teleconsult-on-accent,#fff);
--_danger:var(--teleconsult-danger,#b3261e);--_focus:var(--teleconsult-focus,#0b5cc2);
--_line:var(--teleconsult-line,#d5dfe2);--_radius:var(--teleconsult-radius,16px);
--_font:var(--teleconsult-font,system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif)}
@media (prefers-color-scheme:dark){:host{--_bar:var(--teleconsult-bar,#152025);--_text:var(--teleconsult-text,#e7eff1);
--_button:var(--teleconsult-button,#2a3940);--_accent:var(--teleconsult-accent,#5cc8c4);
--_on-accent:var(--teleconsult-on-accent,#00201f);--_focus:var(--teleconsult-focus,#8ab8ff);--_line:var(--teleconsult-line,#2b3a41)}}
*{box-sizing:border-box}
[hidden]{display:none!important}
p{margin:0}
svg{display:block;width:22px;height:22px;fill:none;stroke:currentColor;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}
.unseen{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.card{display:flex;flex:1;flex-direction:column;min-width:0;min-height:0;overflow:hidden;border-radius:inherit;
background:var(--_stage);color:var(--_stage-text);font:400 13px/1.35 var(--_font);text-align:start}
.stage{container:stage/size;position:relative;flex:1;min-height:0;overflow:hidden}
.view{position:absolute;inset:0}
.picture{display:block;width:100%;height:100%;object-fit:cover;background:#000}
.picture[data-source=screen]{object-fit:contain}
.still{filter:grayscale(.55) brightness(.5)}
.own{position:absolute;top:10px;right:10px;width:28%;max-width:120px;aspect-ratio:4/3;border-radius:8px;object-fit:cover;
transform:scaleX(-1);box-shadow:0 1px 6px rgb(0 0 0/.5)}
@container stage (max-width:250px) or (max-height:140px){.own{display:none}}
.avatar{position:absolute;inset:0;display:grid;place-items:center;padding-bottom:34px;
background:radial-gradient(circle at 50% 38%,#24414a,#0c1519 75%);color:#d9f0ef;font-size:clamp(22px,14cqmin,52px);font-weight:600}
.avatar svg{width:clamp(28px,20cqmin,64px);height:auto}
.phone svg{rotate:-135deg}
.caption{position:absolute;inset:auto 0 0;display:grid;gap:1px;padding:26px 12px 9px;
background:linear-gradient(transparent,rgb(6 14 18/.62) 45%,rgb(6 14 18/.88));text-shadow:0 1px 2px rgb(0 0 0/.7);overflow-wrap:anywhere}
.who{display:flex;gap:6px;min-width:0;font-size:14px;font-weight:600}
.name{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.name:empty,.more:empty,.state:empty,.record:empty{display:none}
.more{flex:none;padding:0 6px;border-radius:9px;background:rgb(255 255 255/.22);font-size:12px;line-height:19px}
.record{display:flex;align-items:center;gap:6px;font-weight:600}
.record::before{content:'';flex:none;width:9px;height:9px;border:2px solid #ff8a82;border-radius:50%}
.record[data-phase=running]::before{border-color:#ff5247;background:#ff5247}
.record[data-phase=paused]::before{border:solid #f2c063;border-width:0 3px;border-radius:0}
.state{font-variant-numeric:tabular-nums}
.card[data-situation^=other] .state,.card[data-situation=reconnecting] .state,.card[data-situation=interrupted] .state{color:#ffd58a}
.hint{position:absolute;inset:26px 10px auto;padding:7px 10px;border-radius:10px;background:#fcf0d9;color:#5c3700;font-weight:500}
.prompt{position:absolute;inset:0;display:grid;align-content:center;justify-items:center;gap:8px;padding:22px 14px 12px;
background:rgb(6 14 18/.88);text-align:center}
.card[data-layout=tall] .caption:has(~.prompt:not([hidden])){visibility:hidden}
.why{font-size:13px}
button{position:relative;margin:0;border:0;padding:0;background:none;color:inherit;font:inherit;cursor:pointer;
-webkit-tap-highlight-color:transparent;touch-action:manipulation}
button:focus-visible{outline:3px solid var(--_focus);outline-offset:2px}
.stage button:focus-visible{outline-color:#8ab8ff}
.go-on{min-height:44px;padding:0 22px;border-radius:22px;background:#5cc8c4;color:#00201f;font-size:15px;font-weight:600}
.controls{display:flex;flex:none;justify-content:center;gap:8px;padding:8px;background:var(--_bar);color:var(--_text)}
.controls button{display:grid;place-items:center;flex:0 0 auto;min-width:44px;height:44px;border-radius:22px;background:var(--_button);
transition:filter .12s}
.controls button:hover{filter:brightness(.94)}
.controls [aria-pressed=false]{background:var(--_text);color:var(--_bar)}
.controls .hang-up{background:var(--_danger);color:#fff}
.controls .hang-up svg{width:24px;height:24px}
.controls .continue{flex:1;padding:0 16px;background:var(--_accent);color:var(--_on-accent);font-weight:600}
.badge{position:absolute;top:-5px;right:-5px;min-width:20px;height:20px;padding:0 5px;border:2px solid var(--_bar);border-radius:11px;
background:var(--_danger);color:#fff;font-size:11px;font-weight:700;line-height:16px;text-align:center}
.card[data-layout=low] .stage{container-type:inline-size;display:flex;flex-wrap:wrap;align-items:center;gap:12px;padding:24px 14px 12px}
.card[data-layout=low] .view{position:relative;inset:auto;flex:none;width:44px;height:44px;border-radius:50%;overflow:hidden}
.card[data-layout=low] .avatar{padding:0;font-size:17px}
.card[data-layout=low] .avatar svg{width:24px}
.card[data-layout=low] .own{display:none}
.card[data-layout=low] .caption{position:static;flex:1;min-width:0;padding:0;background:none}
.card[data-layout=low] .hint{position:static;flex-basis:100%}
.card[data-layout=low] .prompt{position:static;flex-basis:100%;padding:0;background:none}
@media (forced-colors:active){.card,.controls button,.go-on,.badge,.prompt,.hint{border:1px solid CanvasText}
.controls [aria-pressed=false]{border-style:dashed;border-width:2px}.caption{background:Canvas;color:CanvasText}
.card .state{color:CanvasText}}
@media (prefers-reduced-motion:reduce){*{transition:none!important}}
`;

/** The box in the page. `scroll-padding` does nothing here: it is how a script reads the insets of the screen. */
const PAGE = `
:host{display:block;position:fixed;width:0;height:0;pointer-events:none}
:host([hidden]){display:none}
.window{position:fixed;inset:0 auto auto 0;z-index:2147483647;display:flex;flex-direction:column;margin:0;border:0;padding:0;overflow:visible;
max-width:none;border-radius:var(--_radius);background:var(--_stage);color:inherit;pointer-events:auto;touch-action:none;user-select:none;
-webkit-user-select:none;cursor:grab;box-shadow:var(--teleconsult-shadow,0 10px 34px rgb(8 22 28/.34),0 0 0 1px rgb(255 255 255/.1));
transition:translate .2s cubic-bezier(.2,.8,.3,1);
scroll-padding:env(safe-area-inset-top,0) env(safe-area-inset-right,0) env(safe-area-inset-bottom,0) env(safe-area-inset-left,0)}
.window.held{transition:none;cursor:grabbing}
.handle{position:absolute;top:0;left:50%;z-index:2;display:grid;place-items:center;width:56px;height:24px;margin-left:-28px;
border-radius:0 0 12px 12px;color:#fff;cursor:inherit;touch-action:none;opacity:.8;filter:drop-shadow(0 1px 2px rgb(0 0 0/.7))}
.handle svg{width:20px;height:20px;stroke-width:2.2}
.window:hover .handle,.handle:focus-visible{opacity:1}
.handle:focus-visible{background:rgb(6 14 18/.8);outline-color:#8ab8ff;outline-offset:-1px}
.grip{position:absolute;z-index:3;width:26px;height:26px;touch-action:none}
.grip::after{content:"";position:absolute;width:9px;height:9px;border:solid #fff;border-width:2px 0 0 2px;border-radius:3px 0 0;opacity:.75;
filter:drop-shadow(0 1px 2px rgb(0 0 0/.7));top:8px;left:8px}
.grip[data-corner=top-left]{top:0;left:0;cursor:nwse-resize}
.grip[data-corner=top-right]{top:0;right:0;cursor:nesw-resize;transform:scaleX(-1)}
.grip[data-corner=bottom-left]{bottom:0;left:0;cursor:nesw-resize;transform:scaleY(-1)}
.grip[data-corner=bottom-right]{bottom:0;right:0;cursor:nwse-resize;transform:scale(-1)}
.pill{position:fixed;inset:auto auto max(16px,env(safe-area-inset-bottom)) 50%;z-index:2147483647;margin:0;border:0;translate:-50% 0;
display:flex;flex-wrap:wrap;align-items:center;justify-content:center;gap:6px 14px;width:max-content;max-width:calc(100vw - 24px);padding:8px 8px 8px 18px;
border-radius:30px;background:var(--_stage);color:var(--_stage-text);font:400 14px/1.35 var(--_font);pointer-events:auto;
box-shadow:0 10px 34px rgb(8 22 28/.34)}
@media (forced-colors:active){.window,.pill{border:1px solid CanvasText}}
`;

/** A window of its own is filled by the card. */
const WHOLE = `
:host{display:flex;position:fixed;inset:0}
.region{display:flex;flex:1;min-width:0;min-height:0}
`;

const GROUND = 'html,body{margin:0;height:100%;background:#0c1519}';

/** Style sheets belong to the document for whose shadow trees they were made; its window makes them. */
export function sheet(view: Window & typeof globalThis, of: 'page' | 'whole' | 'ground'): CSSStyleSheet {
  const made = new view.CSSStyleSheet();
  made.replaceSync({ page: CARD + PAGE, whole: CARD + WHOLE, ground: GROUND }[of]);
  return made;
}

/** The custom properties by which an app colours the window. */
export const PROPERTIES = [
  'stage',
  'stage-text',
  'bar',
  'text',
  'button',
  'accent',
  'on-accent',
  'danger',
  'focus',
  'line',
  'radius',
  'font',
  'shadow',
].map((name) => `--teleconsult-${name}`);
