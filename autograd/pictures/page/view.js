// One graph on the page: boxes over the edges, placed once; `render` shows the state after some step.

const element = (name, classes = "", text = "") => {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  if (text) made.textContent = text;
  return made;
};

const svgElement = (name, attributes) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// What is known after step k: values that have appeared, gradients so far, and what went wrong on the way.
const stateAt = (program, events, k) => {
  const known = new Set(program.nodes.flatMap((node, slot) => (node.kernel ? [] : [slot])));
  const gradients = new Map();
  const early = new Map();
  const late = new Map();
  const failed = new Map();
  for (const event of events.slice(0, k + 1)) {
    if (event.kind === "value") known.add(event.slot);
    else if (event.kind === "seed") gradients.set(event.slot, 1);
    else if (event.kind === "send") {
      if (event.early) early.set(event.slot, event);
      if (event.problem) failed.set(event.slot, event.problem);
      for (const send of event.sends) {
        gradients.set(send.to, send.after);
        if (send.late) late.set(send.to, (late.get(send.to) ?? 0) + send.product);
      }
    } else if (event.kind === "end") {
      program.nodes.forEach((node, slot) => {
        if (node.kind === "leaf" && !gradients.has(slot)) gradients.set(slot, 0);
      });
    }
  }
  return { known, gradients, early, late, failed, event: events[Math.min(k, events.length - 1)] };
};

class GraphView {
  // With `inputs`, the numbers of the leaves can be edited, and `onEdit` hears of it.
  constructor(program, { heading = "", inputs = null, onEdit = null } = {}) {
    this.program = program;
    this.inputs = inputs;
    this.onEdit = onEdit;
    this.pane = element("section", "pane");
    this.heading = element("h3", "", heading);
    this.viewport = element("div", "viewport");
    this.viewport.tabIndex = 0;
    this.viewport.setAttribute("role", "group");
    this.viewport.setAttribute("aria-label", heading || "Graph");
    this.world = element("div", "world");
    this.stage = element("div", "stage");
    this.pane.append(this.heading, this.viewport);
    this.viewport.append(this.world);
    this.world.append(this.stage);
    this.boxes = program.layout.boxes.map((box) => [...box]);
    this.drawEdges();
    this.nodes = program.nodes.map((node, slot) => this.drawNode(node, slot));
    this.pills = [];
    this.panByDragging();
    this.scaleTo(1);
  }

  drawEdges() {
    const { width, height, edges } = this.program.layout;
    const id = `arrow-${GraphView.count = (GraphView.count ?? 0) + 1}`;
    const svg = svgElement("svg", { width, height, "aria-hidden": "true" });
    svg.innerHTML = `<defs><marker id="${id}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">
      <path d="M0 .8 7.5 4 0 7.2z" fill="context-stroke"/></marker></defs>`;
    this.edges = edges.map(([from, to, argument, path]) => {
      const line = svgElement("path", { d: path, "marker-end": `url(#${id})` });
      svg.append(line);
      return { from, to, argument, line };
    });
    this.stage.append(svg);
  }

  drawNode(node, slot) {
    const box = element("div", `node ${node.kind}`);
    box.dataset.slot = slot;
    const head = element("div", "head");
    const parts = { box };
    if (node.kernel) head.append(element("span", "symbol", this.program.kernels[node.kernel].symbol));
    if (node.kind !== "condition") head.append(element("span", "name", node.name));
    box.append(head);
    if (node.kind !== "constant") {
      parts.data = node.kind === "leaf" && this.inputs ? this.editor(node, slot) : element("span", "data");
      box.append(this.field("data", parts.data));
      if (node.kind !== "condition") {
        parts.gradient = element("span", "gradient");
        box.append(this.field("grad", parts.gradient));
      }
      parts.note = element("div", "note");
      parts.note.hidden = true;
      box.append(parts.note);
    }
    if (node.kind === "condition" || node.name.length > 18) box.title = node.name;
    this.place(box, slot);
    this.stage.append(box);
    return parts;
  }

  place(box, slot) {
    const [x, y, width, height] = this.boxes[slot];
    Object.assign(box.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
  }

  field(name, content) {
    const line = element("div", "field");
    line.append(element("span", "key", name), content);
    return line;
  }

  editor(node, slot) {
    const input = element("input", "data");
    const rounded = () => show(this.inputs.get(slot), this.program.precision);
    Object.assign(input, { type: "number", step: "any", value: rounded(), autocomplete: "off" });
    input.setAttribute("aria-label", `Value of ${node.name}`);
    input.addEventListener("focus", () => (input.value = String(this.inputs.get(slot)))); // all digits, to change some
    input.addEventListener("blur", () => {
      if (input.getAttribute("aria-invalid") !== "true") input.value = rounded();
    });
    input.addEventListener("input", () => this.onEdit(slot, input));
    return input;
  }

  // What is shown of a slot after a step.
  render(story, events, k, { animate = false } = {}) {
    const { program } = this;
    const state = stateAt(program, events, k);
    const { event } = state;
    const operands = event.slot === undefined ? [] : (program.nodes[event.slot].operands ?? []);
    program.nodes.forEach((node, slot) => {
      const { box, data, gradient, note } = this.nodes[slot];
      const value = story.values[slot];
      const known = state.known.has(slot);
      box.classList.toggle("pending", !known);
      box.classList.toggle("current", event.slot === slot);
      box.classList.toggle("early", state.early.has(slot));
      if (data && data.tagName !== "INPUT") data.textContent = known && value !== undefined ? show(value, program.precision) : "";
      if (gradient) gradient.textContent = state.gradients.has(slot) ? show(state.gradients.get(slot), program.precision) : "";
      if (note) this.annotate(box, note, slot, known, story, state);
    });
    for (const edge of this.edges) {
      const { line, to, from, argument } = edge;
      const send = event.kind === "send" && to === event.slot && event.sends.find((s) => s.argument === argument);
      line.classList.toggle("feeding", event.kind === "value" && to === event.slot && operands.includes(from));
      line.classList.toggle("sending", Boolean(send));
      line.classList.toggle("late", Boolean(send && send.late));
      line.classList.toggle("pending", !state.known.has(to));
    }
    this.showPills(event, animate);
    this.follow(event);
  }

  annotate(box, note, slot, known, story, state) {
    const { precision } = this.program;
    const problem = (known && story.problems.get(slot)) || state.failed.get(slot);
    const warning = known && story.warnings.get(slot);
    const early = state.early.get(slot);
    let text = problem || warning || "";
    if (!text && early) {
      text = `too early: ${early.arrived} of ${early.awaited} arrived`;
      if (state.late.has(slot)) text += `; ${show(state.late.get(slot), precision)} too late`;
    }
    box.classList.toggle("problem", Boolean(problem));
    note.hidden = !text;
    note.textContent = text;
  }

  // The += that arrives along each edge, beside the operand that it arrives at.
  showPills(event, animate) {
    for (const pill of this.pills) pill.remove();
    this.pills = [];
    const stacked = new Map();
    for (const send of event.kind === "send" ? event.sends : []) {
      const { line } = this.edges.find((edge) => edge.to === event.slot && edge.argument === send.argument);
      const pill = element("div", "pill", `+= ${show(send.product, this.program.precision)}`);
      pill.classList.toggle("late", send.late);
      const level = stacked.get(send.to) ?? 0;
      stacked.set(send.to, level + 1);
      this.stage.append(pill);
      this.pills.push(pill);
      const end = this.beside(line, pill.offsetWidth / 2 + 3);
      pill.style.offsetPath = `path("${line.getAttribute("d")}")`;
      pill.style.offsetDistance = `${end}px`;
      pill.style.marginTop = `${level * 22}px`;
      if (animate && !still()) {
        pill.animate(
          [{ offsetDistance: `${line.getTotalLength()}px`, opacity: 0.2 }, { offsetDistance: `${end}px`, opacity: 1 }],
          { duration: animate, easing: "ease-in-out" });
      }
    }
  }

  // How far along an edge a pill stands clear of the box that the edge comes from.
  beside(line, room) {
    const whole = line.getTotalLength();
    const { x } = line.getPointAtLength(0);
    let length = Math.min(room, whole);
    while (length < whole / 2 && line.getPointAtLength(length).x - x < room) length += 2;
    return length;
  }

  // Scrolls so that the current node, and if there is room its operands, can be seen; before and after, the leaves.
  follow(event) {
    const leaves = this.program.nodes.flatMap((node, slot) => (node.kind === "leaf" ? [slot] : []));
    const slot = event.slot ?? leaves[0] ?? this.program.output;
    const operands = event.slot === undefined ? leaves : (this.program.nodes[slot].operands ?? []).filter((operand) => operand >= 0);
    const { clientWidth: width, clientHeight: height } = this.viewport;
    const around = (slots) => {
      const boxes = slots.map((slot) => this.boxes[slot].map((x) => x * this.scale));
      return [
        Math.min(...boxes.map(([x]) => x)), Math.min(...boxes.map(([, y]) => y)),
        Math.max(...boxes.map(([x, , w]) => x + w)), Math.max(...boxes.map(([, y, , h]) => y + h)),
      ];
    };
    let [left, top, right, bottom] = around([slot, ...operands]);
    if (right - left > width || bottom - top > height) [left, top, right, bottom] = around([slot]);
    const nearest = (from, to, size, at, room) => (to - from > size || from < at + room ? from - room : to > at + size - room ? to - size + room : at);
    const style = getComputedStyle(this.viewport);
    const room = 12;
    const [dx, dy] = [this.world.offsetLeft, this.world.offsetTop];
    this.viewport.scrollTo({
      left: nearest(left + dx, right + dx, width, this.viewport.scrollLeft, room),
      top: nearest(top + dy, bottom + dy, height, this.viewport.scrollTop, room),
      behavior: still() || style.scrollBehavior === "auto" ? "auto" : "smooth",
    });
  }

  scaleTo(scale) {
    this.scale = scale;
    const { width, height } = this.program.layout;
    this.stage.style.transform = `scale(${scale})`;
    Object.assign(this.world.style, { width: `${width * scale}px`, height: `${height * scale}px` });
  }

  // The whole graph, however small; else as large as can be read.
  fit(whole, smallest) {
    const { width, height } = this.program.layout;
    const room = 32;
    const across = (this.viewport.clientWidth - room) / width;
    const down = (this.viewport.clientHeight - room) / height;
    const wanted = Math.min(1.15, across, down);
    this.scaleTo(whole ? Math.max(0.1, wanted) : Math.max(smallest, wanted));
  }

  // With the mouse: a node is moved by its head, the picture by anything else. Fingers scroll as everywhere.
  panByDragging() {
    let drag = null;
    this.viewport.addEventListener("pointerdown", (down) => {
      if (down.button !== 0 || down.pointerType === "touch" || down.target.closest("input")) return;
      const node = down.target.closest(".node");
      drag = { node, x: down.clientX, y: down.clientY };
      this.viewport.setPointerCapture(down.pointerId);
      this.viewport.classList.add("dragging");
    });
    this.viewport.addEventListener("pointermove", (move) => {
      if (!drag) return;
      const [dx, dy] = [move.clientX - drag.x, move.clientY - drag.y];
      [drag.x, drag.y] = [move.clientX, move.clientY];
      if (drag.node) this.moveNode(Number(drag.node.dataset.slot), dx / this.scale, dy / this.scale);
      else this.viewport.scrollBy({ left: -dx, top: -dy, behavior: "instant" });
    });
    for (const name of ["pointerup", "pointercancel"]) {
      this.viewport.addEventListener(name, () => {
        drag = null;
        this.viewport.classList.remove("dragging");
      });
    }
  }

  moveNode(slot, dx, dy) {
    const box = this.boxes[slot];
    const { width, height } = this.program.layout;
    const [x, y] = [Math.max(0, Math.min(width - box[2], box[0] + dx)), Math.max(0, Math.min(height - box[3], box[1] + dy))];
    [dx, dy] = [x - box[0], y - box[1]];
    [box[0], box[1]] = [x, y];
    this.place(this.nodes[slot].box, slot);
    for (const { from, to, line } of this.edges) {
      if (from !== slot && to !== slot) continue;
      const start = line.getPointAtLength(0);
      const end = line.getPointAtLength(line.getTotalLength());
      if (from === slot) [start.x, start.y] = [start.x + dx, start.y + dy];
      if (to === slot) [end.x, end.y] = [end.x + dx, end.y + dy];
      const reach = Math.max(24, Math.abs(end.x - start.x) / 2);
      line.setAttribute("d", `M${start.x},${start.y} C${start.x + reach},${start.y} ${end.x - reach},${end.y} ${end.x},${end.y}`);
    }
  }
}
