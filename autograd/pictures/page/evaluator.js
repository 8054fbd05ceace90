// Runs the program: forward for the values, then back along the edges in any order that is asked for.
//
// At the recorded numbers of the leaves, values and slopes are the recorded ones; after an edit, the kernels compute
// them. Both walks do the sums of backward() in its order, so that gradients agree to the last bit.

const isComputed = (node) => node.kind === "operation";
const isNumber = (node) => node.kind === "operation" || node.kind === "leaf";

const quoted = (program, slot, value) => {
  const node = program.nodes[slot];
  const name = node && isNumber(node) ? ` ('${node.name}')` : "";
  return `${show(value, program.precision)}${name}`;
};

// "x is -2 ('a'), y is 3": operands in a message.
const inWords = (program, node, inputs) => {
  const parts = program.kernels[node.kernel].arguments.map(
    (argument, i) => `${argument} is ${quoted(program, node.operands[i], inputs[i])}`);
  return parts.length > 4 ? `${parts.slice(0, 4).join(", ")}, … ${parts.length} in all` : parts.join(", ");
};

// The value of every slot, undefined where there is none; `problems` says why where it arises, `warnings` what is odd.
const runForward = (program, inputs) => {
  const values = [];
  const problems = new Map();
  const warnings = new Map();
  const recorded = program.nodes.every((node, slot) => node.kind !== "leaf" || Object.is(inputs.get(slot), node.value));
  program.nodes.forEach((node, slot) => {
    if (node.kind === "leaf") values[slot] = inputs.get(slot);
    else if (node.kind === "constant" || recorded) values[slot] = node.value;
    else values[slot] = compute(program, node, slot, values, problems, warnings);
  });
  return { values, problems, warnings, recorded };
};

const compute = (program, node, slot, values, problems, warnings) => {
  const { name, needs, remedy } = program.kernels[node.kernel];
  const kernel = kernels[node.kernel];
  const inputs = node.operands.map((operand) => values[operand]);
  if (name === "where") return choice(node, slot, values, problems);
  if (inputs.includes(undefined)) return undefined;
  const noNaN = !inputs.some(Number.isNaN);
  if (noNaN && kernel.domain && !kernel.domain(...inputs)) {
    const said = needs ? `needs ${needs}` : "is outside its domain";
    problems.set(slot, `${name} ${said}; ${inWords(program, node, inputs)}. ${remedy}`.trim());
    return undefined;
  }
  const value = kernel.value(...inputs);
  if (Number.isNaN(value) && noNaN) {
    warnings.set(slot, `${name} is not a number; ${inWords(program, node, inputs)}.`);
  } else if (Math.abs(value) === Infinity && inputs.every((x) => typeof x === "boolean" || Number.isFinite(x))) {
    warnings.set(slot, `${name} is too large for a float; ${inWords(program, node, inputs)}.`);
  }
  return value;
};

// The branch that is not taken may have no value at all.
const choice = (node, slot, values, problems) => {
  const [condition, x, y] = node.operands;
  if (values[condition] === undefined) return undefined;
  const chosen = values[condition] ? x : y;
  if (chosen < 0) {
    problems.set(slot, "where: the branch that is wanted now was a function that was never called, so it is not known.");
    return undefined;
  }
  return values[chosen];
};

// The places of the operands that backward() visits, in the order in which it meets them.
const walkedPlaces = (program, values, slot) => {
  const node = program.nodes[slot];
  const name = program.kernels[node.kernel].name;
  if (name === "detach") return [];
  let places = node.walk ?? node.operands.map((_, i) => i);
  if (name === "where") places = [values[node.operands[0]] ? 1 : 2]; // nothing enters the branch not taken
  return places.filter((i) => node.operands[i] >= 0 && isNumber(program.nodes[node.operands[i]]));
};

const walkedOperands = (program, values, slot) =>
  walkedPlaces(program, values, slot).map((i) => program.nodes[slot].operands[i]);

// Every node after all that use it: the order of backward() itself.
const topologicalOrder = (program, values) => {
  const order = [];
  const entered = new Set();
  const stack = [program.output];
  while (stack.length > 0) {
    const item = stack.pop();
    if (item < 0) order.push(~item); // all that it depends on is in the order
    else if (!entered.has(item) && isComputed(program.nodes[item])) {
      entered.add(item);
      stack.push(~item, ...walkedOperands(program, values, item));
    }
  }
  return order.reverse();
};

// The mistake: each node as soon as the walk comes to it, though others have yet to send it their share.
const depthFirstOrder = (program, values, fromTheLeft) => {
  const order = [];
  const entered = new Set();
  const stack = [program.output];
  while (stack.length > 0) {
    const slot = stack.pop();
    if (entered.has(slot) || !isComputed(program.nodes[slot])) continue;
    entered.add(slot);
    order.push(slot);
    const node = program.nodes[slot];
    const walked = new Set(walkedPlaces(program, values, slot));
    const operands = node.operands.filter((_, i) => walked.has(i));
    stack.push(...(fromTheLeft ? operands.reverse() : operands));
  }
  return order;
};

// ∂value/∂operand for each operand: a number, null where nothing flows, {problem} where there is none.
const slopesOf = (program, run, slot) => {
  const node = program.nodes[slot];
  const walked = new Set(walkedPlaces(program, run.values, slot));
  if (run.recorded) return node.slopes.map((slope, i) => (walked.has(i) ? slope : null));
  const { name, arguments: names } = program.kernels[node.kernel];
  const kernel = kernels[node.kernel];
  const inputs = node.operands.map((operand) => run.values[operand]);
  return kernel.partials(run.values[slot], ...inputs).map((slope, i) => {
    if (slope === null || !walked.has(i)) return null;
    if (inputs.some(Number.isNaN)) return slope;
    const inside = (kernel.partialDomains?.[i] ?? kernel.domain ?? (() => true))(...inputs);
    if (inside && Number.isFinite(slope)) return slope;
    const limit = (kernel.limits ?? []).find(([argument, at]) => argument === i && at(...inputs));
    if (limit) return limit[2];
    if (inside) return slope;
    return { problem: `${name} has no derivative with respect to ${names[i]} here; ${inWords(program, node, inputs)}.` };
  });
};

// The slopes of each node. One that does not exist is nan if nothing flows on from its operand to a leaf.
const allSlopes = (program, run) => {
  const found = new Map();
  const leading = new Set([...program.nodes.keys()].filter((slot) => program.nodes[slot].kind === "leaf"));
  for (const slot of topologicalOrder(program, run.values).reverse()) {
    const { operands } = program.nodes[slot];
    const slopes = slopesOf(program, run, slot);
    if (operands.some((operand, i) => slopes[i] !== null && leading.has(operand))) leading.add(slot);
    found.set(slot, slopes.map((slope, i) => (slope?.problem && !leading.has(operands[i]) ? NaN : slope)));
  }
  return found;
};

// One event per node: what it sends to its operands, what was there before. A slope that does not exist ends it.
const runBackward = (program, run, order) => {
  const gradients = new Map([[program.output, 1]]);
  const sent = new Set();
  const awaited = new Map([[program.output, 0]]);
  const arrived = new Map();
  const slopesAt = allSlopes(program, run);
  for (const slot of topologicalOrder(program, run.values))
    if (awaited.has(slot))
      program.nodes[slot].operands.forEach((operand, i) => {
        if (slopesAt.get(slot)[i] !== null) awaited.set(operand, (awaited.get(operand) ?? 0) + 1);
      });
  const events = [];
  for (const slot of order) {
    const gradient = gradients.get(slot) ?? 0;
    const event = { kind: "send", slot, gradient, sends: [], arrived: arrived.get(slot) ?? 0, awaited: awaited.get(slot) ?? 0 };
    event.early = event.arrived < event.awaited;
    events.push(event);
    sent.add(slot);
    if (!awaited.has(slot)) continue; // so it is not asked for its slope
    const slopes = slopesAt.get(slot);
    event.problem = slopes.find((s) => s?.problem)?.problem;
    if (event.problem) break;
    program.nodes[slot].operands.forEach((operand, i) => {
      if (slopes[i] === null) return;
      const product = gradient * slopes[i];
      const before = gradients.get(operand) ?? 0;
      const after = before + product;
      gradients.set(operand, after);
      arrived.set(operand, (arrived.get(operand) ?? 0) + 1);
      event.sends.push({ argument: i, to: operand, slope: slopes[i], product, before, after, late: sent.has(operand) });
    });
  }
  return { events, gradients, failed: events.at(-1)?.problem };
};

// The wrong order, from the side on which it goes wrong if there is one.
const runWrongly = (program, run) => {
  const attempts = [true, false].map((left) => runBackward(program, run, depthFirstOrder(program, run.values, left)));
  return attempts.find(({ events }) => events.some(({ early }) => early)) ?? attempts[0];
};

// All that there is to show: each value, the seed, each node's sends, the end.
const tell = (program, inputs) => {
  const run = runForward(program, inputs);
  const events = [{ kind: "start" }];
  program.nodes.forEach((node, slot) => {
    if (node.kernel) events.push({ kind: "value", slot });
  });
  if (run.values[program.output] === undefined) {
    events.push({ kind: "stop" });
    return { ...run, events, wrong: events, gradients: new Map(), wrongGradients: new Map() };
  }
  events.push({ kind: "seed", slot: program.output });
  const right = runBackward(program, run, topologicalOrder(program, run.values));
  const wrong = runWrongly(program, run);
  const end = { kind: right.failed ? "stop" : "end" };
  return {
    ...run,
    events: [...events, ...right.events, end],
    wrong: [...events, ...wrong.events, end],
    gradients: right.gradients,
    wrongGradients: wrong.gradients,
  };
};
