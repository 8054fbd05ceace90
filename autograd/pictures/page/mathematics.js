// Formulas in MathML: templates from the table, filled with names and again with numbers.

const escaped = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

const row = (...parts) => `<mrow>${parts.join("")}</mrow>`;
const sign = (text) => `<mo>${text}</mo>`;
const math = (...parts) => `<math display="block">${row(...parts)}</math>`;
const bracketed = (markup) => row(sign("("), markup, sign(")"));

// −1.5e-07 as −1.5 · 10⁻⁷; in brackets where a sign needs them.
const numeral = (text, careful = false) => {
  const negative = text.startsWith("-");
  const [digits, exponent] = (negative ? text.slice(1) : text).split("e");
  const special = { inf: "<mi>∞</mi>", nan: "<mi>nan</mi>", true: "<mi>true</mi>", false: "<mi>false</mi>" }[digits];
  let markup = special ?? `<mn>${digits}</mn>`;
  if (exponent !== undefined) {
    const power = Number(exponent);
    const raised = power < 0 ? row(sign("−"), `<mn>${-power}</mn>`) : `<mn>${power}</mn>`;
    markup = row(markup, sign("·"), `<msup><mn>10</mn>${raised}</msup>`);
  }
  if (negative) markup = row(sign("−"), markup);
  return careful && (negative || exponent !== undefined) ? bracketed(markup) : markup;
};

// Without a variant a single letter would be drawn from another font than a word.
const letters = (text) => `<mi mathvariant="normal" class="name">${escaped(text)}</mi>`;

// The name of a slot. A subscript is set below: w1 as w₁, h_2 as h₂.
const nameOf = (program, slot) => {
  const node = program.nodes[slot];
  if (node.kind === "constant") return numeral(node.name);
  const parts = /^(\p{L}+)_?(\d+)$/u.exec(node.name);
  if (parts) return `<msub>${letters(parts[1])}<mn>${parts[2]}</mn></msub>`;
  return node.kind === "condition" ? `<mtext>${escaped(node.name)}</mtext>` : letters(node.name);
};

// A template with its places filled: {0}, {z}, and {0!} where a negative number needs brackets.
const filled = (template, fill) => template.replace(/\{(\d+|z)(!?)\}/g, (_, key, careful) => fill(key, careful === "!"));

const withNames = (program, slot, template) => {
  const { operands } = program.nodes[slot];
  return filled(template, (key, careful) => {
    const at = key === "z" ? slot : operands[Number(key)];
    if (at < 0) return "<mi>?</mi>";
    const negative = program.nodes[at].kind === "constant" && program.nodes[at].name.startsWith("-");
    return negative && careful ? bracketed(nameOf(program, at)) : nameOf(program, at);
  });
};

const withNumbers = (program, slot, template, values) => {
  const { operands } = program.nodes[slot];
  return filled(template, (key, careful) => {
    const value = values[key === "z" ? slot : operands[Number(key)]];
    return value === undefined ? "<mi>?</mi>" : numeral(show(value, program.precision), careful);
  });
};

// Parts joined by =, without one that says the same as the one before.
const chain = (...parts) => parts.filter((part, i) => part && part !== parts[i - 1]).join(sign("="));

// z = w·x + b = (−0.5)·2 + 1 = 0
const valueFormula = (program, slot, values) => {
  const template = program.kernels[program.nodes[slot].kernel].formula;
  const left = program.nodes[slot].kind === "condition" ? "" : nameOf(program, slot);
  const result = values[slot] === undefined ? "" : numeral(show(values[slot], program.precision));
  return math(chain(left, withNames(program, slot, template), withNumbers(program, slot, template, values), result));
};

const ROUND = '<mi mathvariant="normal">∂</mi>';

const partial = (program, above, below) =>
  `<mfrac>${row(ROUND, nameOf(program, above))}${row(ROUND, nameOf(program, below))}</mfrac>`;

// ∂z/∂w = x = 2
const slopeFormula = (program, slot, send, values) => {
  const template = program.kernels[program.nodes[slot].kernel].slopes[send.argument];
  return math(chain(
    partial(program, slot, send.to),
    template ? withNames(program, slot, template) : "",
    template ? withNumbers(program, slot, template, values) : "",
    numeral(show(send.slope, program.precision)),
  ));
};

// ∂y/∂w += ∂y/∂z · ∂z/∂w = 0.5 · 2 = 1
const sendFormula = (program, slot, event, send) => {
  const number = (x, careful) => numeral(show(x, program.precision), careful);
  return math(
    partial(program, program.output, send.to), sign("+="),
    chain(
      row(partial(program, program.output, slot), sign("·"), partial(program, slot, send.to)),
      row(number(event.gradient, true), sign("·"), number(send.slope, true)),
      number(send.product)),
  );
};
