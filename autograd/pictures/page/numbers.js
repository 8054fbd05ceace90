// How numbers are shown and read: the same digits as Python's f"{x:.6g}".

const show = (x, digits = 6) => {
  if (typeof x === "boolean") return String(x);
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  const sign = x < 0 || Object.is(x, -0) ? "-" : "";
  let [mantissa, exponent] = roundedToEven(Math.abs(x), digits);
  exponent = Number(exponent);
  if (exponent < -4 || exponent >= digits) {
    const size = String(Math.abs(exponent)).padStart(2, "0");
    return `${sign}${withoutZeros(mantissa)}e${exponent < 0 ? "-" : "+"}${size}`;
  }
  const figures = mantissa.replace(".", "");
  if (exponent < 0) return sign + withoutZeros(`0.${"0".repeat(-exponent - 1)}${figures}`);
  return sign + withoutZeros(`${figures.slice(0, exponent + 1)}.${figures.slice(exponent + 1)}`);
};

const withoutZeros = (text) => (text.includes(".") ? text.replace(/\.?0*$/, "") : text);

// Mantissa and exponent. Halfway cases go to the even digit, as IEEE and Python have it; toExponential sends them up.
// With 40 digits more a float that is not halfway shows that it is not.
const roundedToEven = (x, digits) => {
  const rounded = x.toExponential(digits - 1).split("e");
  const [longer, exponent] = x.toExponential(digits + 39).split("e");
  const figures = longer.replace(".", "");
  const even = (Number(figures[digits - 1]) % 2) === 0;
  if (!even || !/^50*$/.test(figures.slice(digits))) return rounded;
  return [digits > 1 ? `${figures[0]}.${figures.slice(1, digits)}` : figures[0], exponent];
};
