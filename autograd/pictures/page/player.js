// The page: where the story stands, what moves it on, and the words and formulas of the step.

const byId = (id) => document.getElementById(id);
const program = readProgram(byId("program").textContent);
const recorded = new Map(program.nodes.flatMap((node, slot) => (node.kind === "leaf" ? [[slot, node.value]] : [])));
const inputs = new Map(recorded);
const name = (slot) => program.nodes[slot].name;
const number = (x) => show(x, program.precision);
const live = program.frozen.length === 0;

let story = tell(program, inputs);
let at = 0;
let timer = null;
let comparing = false;

const right = new GraphView(program, { heading: "Right order: a node sends once all its gradient has arrived", inputs, onEdit: edit });
const wrong = new GraphView(program, { heading: "Wrong order: depth-first, a node sends as soon as it is reached" });
wrong.pane.classList.add("wrong");
wrong.pane.hidden = true;
byId("graphs").append(right.pane, wrong.pane);
document.querySelector("h1").textContent = document.title;
if (!live) {
  for (const input of document.querySelectorAll("input.data")) {
    input.disabled = true;
    input.title = "Live editing is not available for this graph";
  }
}

function readProgram(text) {
  const number = (x) => (typeof x === "string" ? Number(x) : x);
  const read = JSON.parse(text);
  for (const node of read.nodes) {
    node.value = number(node.value);
    if (node.slopes) node.slopes = node.slopes.map(number);
  }
  return read;
}

// ---- words ----

const list = (items) => (items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`);

function phase(event) {
  if (event.kind === "value") return "Forward";
  if (event.kind === "seed" || event.kind === "send") return "Backward";
  return { start: "Start", end: "Done", stop: "Stopped" }[event.kind];
}

function sentence(event) {
  const { slot } = event;
  if (event.kind === "start") {
    return live
      ? "The leaves hold their numbers; you may change them. Forward computes every other value, operands first."
      : "The leaves hold their numbers. Forward computes every other value, operands first.";
  }
  if (event.kind === "stop") return stopped();
  if (event.kind === "end") {
    const leaves = [...recorded.keys()].map((leaf) => `∂${name(program.output)}/∂${name(leaf)} = ${number(story.gradients.get(leaf) ?? 0)}`);
    const said = `: ${list(leaves)}`;
    return `Every leaf has its gradient${said.length < 300 ? said : ""}.`;
  }
  if (event.kind === "seed") return `Backward starts at the output: its gradient is ∂${name(slot)}/∂${name(slot)} = 1.`;
  const symbol = program.kernels[program.nodes[slot].kernel].name;
  if (event.kind === "value") {
    const value = story.values[slot];
    if (value !== undefined) return `${symbol} computes ${name(slot)} = ${number(value)}.${said(story.warnings.get(slot))}`;
    return said(story.problems.get(slot)) || `${name(slot)} has no value, because one of its operands has none.`;
  }
  if (event.problem) return event.problem;
  if (event.sends.length === 0) return `${name(slot)} has gradient ${number(event.gradient)} and sends nothing back: no operand has a slope.`;
  const sums = event.sends.map((send) => `${name(send.to)} += ${number(send.product)}`);
  return `${name(slot)} sends its gradient ${number(event.gradient)} times each local slope: ${list(sums.slice(0, 6))}${sums.length > 6 ? " …" : ""}.`;
}

function stopped() {
  const failed = story.events.find((event) => event.problem);
  if (failed) return `The backward pass stops at ${name(failed.slot)}: ${failed.problem}`;
  return `There is no backward pass: ${[...story.problems.values()].join(" ")}`;
}

const said = (text) => (text ? ` ${text}` : "");

function formulas(event) {
  const { slot } = event;
  const line = (markup) => `<div class="send">${markup}</div>`;
  if (event.kind === "value") return line(valueFormula(program, slot, story.values));
  if (event.kind === "seed") return line(math(chain(partial(program, slot, slot), "<mn>1</mn>")));
  if (event.kind !== "send") return "";
  return event.sends.map((send) => {
    const slope = slopeFormula(program, slot, send, story.values);
    const added = number(send.product);
    const sum = `${number(send.before)} + ${added.startsWith("-") ? `(${added})` : added} = ${number(send.after)}`;
    return `<div class="send"><div>${slope}</div><div>${sendFormula(program, slot, event, send)}</div>
      <div class="sum"><span>${escaped(name(send.to))}.grad:</span> ${escaped(sum)}</div></div>`;
  }).join("");
}

// What the wrong order does at this step, or did in the end.
function verdict(event) {
  if (!comparing) return "";
  const early = story.wrong.filter((e) => e.early);
  if (early.length === 0) {
    return story.wrong.length > 2 && usedOnce()
      ? "<p>In this graph every node is used only once, so a depth-first walk does no harm: nothing can be sent too early.</p>"
      : "<p>In this graph the depth-first walk does no harm: it happens to reach every node after all that use it.</p>";
  }
  if (event.kind !== "end") {
    const other = story.wrong[at];
    if (other?.kind !== "send") return "";
    return other.early
      ? `<p class="bad">Wrong order: ${escaped(name(other.slot))} sends on ${escaped(number(other.gradient))} when only ${other.arrived} of ${other.awaited} shares have arrived. The rest will never be sent on.</p>`
      : `<p>Wrong order: ${escaped(name(other.slot))} sends.</p>`;
  }
  const rows = [...recorded.keys()].map((leaf) => {
    const [good, bad] = [story.gradients.get(leaf) ?? 0, story.wrongGradients.get(leaf) ?? 0];
    const same = Object.is(good, bad) || number(good) === number(bad);
    return `<tr class="${same ? "" : "bad"}"><th scope="row">${escaped(name(leaf))}</th><td>${number(good)}</td><td>${number(bad)}</td><td>${same ? "same" : "wrong"}</td></tr>`;
  });
  const nodes = list(early.map((e) => name(e.slot)));
  const harmless = rows.every((text) => text.startsWith('<tr class=""'))
    ? " What came too late is zero here, so that the numbers agree by luck." : "";
  return `<p>In the wrong order ${escaped(nodes)} sent on a gradient before all of it had arrived.${harmless}</p>
    <table><caption>Gradients of the leaves</caption><thead><tr><th scope="col">leaf</th><th scope="col">right order</th><th scope="col">wrong order</th><th></th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function usedOnce() {
  const uses = new Map();
  for (const event of story.events) {
    for (const send of event.sends ?? []) if (isComputed(program.nodes[send.to])) uses.set(send.to, (uses.get(send.to) ?? 0) + 1);
  }
  return [...uses.values()].every((count) => count === 1);
}

// ---- showing ----

function render({ animate = false } = {}) {
  const event = story.events[at];
  const duration = animate ? 700 / speed() : 0;
  right.render(story, story.events, at, { animate: duration });
  if (comparing) wrong.render(story, story.wrong, at, { animate: duration });
  const last = story.events.length - 1;
  byId("phase").textContent = `${phase(event)} · step ${at} of ${last}`;
  document.body.dataset.phase = phase(event).toLowerCase();
  byId("sentence").textContent = sentence(event).trim();
  byId("formulas").innerHTML = formulas(event);
  byId("verdict").innerHTML = verdict(event) + remarks();
  const timeline = byId("timeline");
  timeline.max = last;
  timeline.value = at;
  timeline.setAttribute("aria-valuetext", `Step ${at} of ${last}: ${phase(event)}`);
  const seed = story.events.findIndex((e) => e.kind === "seed");
  timeline.style.setProperty("--split", `${((seed < 0 ? last : seed - 0.5) / last) * 100}%`);
  byId("first").disabled = byId("back").disabled = at === 0;
  byId("last").disabled = byId("forward").disabled = at === last;
}

function remarks() {
  if (!live) return `<p class="remark">Numbers are as recorded; they cannot be edited here. ${escaped(program.frozen.join(". "))}.</p>`;
  if (!edited()) return "";
  const where = Object.values(program.kernels).some((kernel) => kernel.name === "where") ? "; where decides anew" : "";
  return `<p class="remark">The recorded operations run again at your numbers${where}. A branch that Python's if chose stays as recorded.</p>`;
}

const edited = () => [...recorded].some(([slot, value]) => !Object.is(inputs.get(slot), value));

// ---- editing ----

function edit(slot, input) {
  const value = input.value.trim() === "" ? NaN : Number(input.value);
  const usable = Number.isFinite(value);
  const box = input.closest(".node");
  box.classList.toggle("problem", !usable);
  input.setAttribute("aria-invalid", String(!usable));
  input.title = usable ? "" : "Type a number; the last one is used until then";
  if (!usable) return;
  inputs.set(slot, value);
  update();
}

// Stays at the same event where there still is one; at the start it shows the end, so that the edit is seen.
function update() {
  const before = story.events[at];
  const atEnd = at === story.events.length - 1;
  story = tell(program, inputs);
  const same = story.events.findIndex((event) => event.kind === before.kind && event.slot === before.slot);
  at = atEnd || before.kind === "start" ? story.events.length - 1 : same >= 0 ? same : Math.min(at, story.events.length - 1);
  byId("restore").hidden = !edited();
  render();
}

function restore() {
  for (const [slot, value] of recorded) {
    inputs.set(slot, value);
    const input = right.nodes[slot].data;
    input.value = number(value);
    input.setAttribute("aria-invalid", "false");
    input.closest(".node").classList.remove("problem");
  }
  update();
}

// ---- playing ----

const speed = () => Number(byId("speed").value);

function go(step, options) {
  const target = Math.max(0, Math.min(story.events.length - 1, step));
  if (target === at) return;
  at = target;
  render(options);
}

function pause() {
  clearTimeout(timer);
  timer = null;
  showPlaying();
}

function play() {
  if (at === story.events.length - 1) go(0);
  schedule();
  showPlaying();
}

function schedule() {
  timer = setTimeout(() => {
    go(at + 1, { animate: true });
    if (at < story.events.length - 1) schedule();
    else pause();
  }, (story.events[at].kind === "send" ? 1800 : 1000) / speed());
}

function showPlaying() {
  const playing = timer !== null;
  document.body.classList.toggle("playing", playing);
  byId("play").setAttribute("aria-label", playing ? "Pause" : "Play");
  byId("sentence").setAttribute("aria-live", playing ? "off" : "polite"); // nobody can listen that fast
}

const toggle = () => (timer === null ? play() : pause());

function step(to, options) {
  pause();
  go(to, options);
}

function compare() {
  comparing = !comparing;
  byId("compare").setAttribute("aria-checked", String(comparing));
  document.body.classList.toggle("comparing", comparing);
  wrong.pane.hidden = !comparing;
  fit();
  render();
}

const whole = () => byId("fit").getAttribute("aria-pressed") === "true";

// Beside each other where there is room for both, else one above the other.
function fit() {
  const smallest = innerWidth < 480 ? 0.86 : comparing ? 0.66 : 0.8;
  byId("graphs").classList.toggle("stacked", program.layout.width * smallest > innerWidth / 2 - 50);
  right.fit(whole(), smallest);
  if (comparing) wrong.fit(whole(), smallest);
}

function toggleFit() {
  byId("fit").setAttribute("aria-pressed", String(!whole()));
  fit();
  render();
}

function changeSpeed(by) {
  const select = byId("speed");
  select.selectedIndex = Math.max(0, Math.min(select.length - 1, select.selectedIndex + by));
}

const actions = {
  first: () => step(0),
  back: () => step(at - 1),
  play: toggle,
  forward: () => step(at + 1, { animate: true }),
  last: () => step(story.events.length - 1),
  compare,
  fit: toggleFit,
  restore,
};
for (const [id, action] of Object.entries(actions)) byId(id).addEventListener("click", action);
byId("timeline").addEventListener("input", (change) => step(Number(change.target.value)));

const keys = {
  " ": toggle, ArrowRight: actions.forward, ArrowLeft: actions.back, Home: actions.first, End: actions.last,
  "+": () => changeSpeed(1), "-": () => changeSpeed(-1), w: compare, f: toggleFit, r: restore,
};
document.addEventListener("keydown", (key) => {
  const { target } = key;
  const pan = { ArrowLeft: -80, ArrowRight: 80 }[key.key];
  if (key.shiftKey && pan && target.closest(".viewport") && !target.matches("input")) {
    key.preventDefault();
    target.closest(".viewport").scrollBy({ left: pan });
    return;
  }
  if (key.ctrlKey || key.metaKey || key.altKey || !(key.key in keys)) return;
  if (target.matches("input[type=number], select")) return;
  if (target.matches("button") && key.key === " ") return; // the button's own key
  key.preventDefault();
  keys[key.key]();
});
addEventListener("resize", () => {
  fit();
  render();
});

fit();
render();
