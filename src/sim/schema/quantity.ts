const QUANTITY =
  /^([+-]?)(\d+(?:\.\d*)?|\.\d+)((?:[eE][+-]?\d+)|Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E)?$/;
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL: readonly (readonly [string, number])[] = [
  ["E", 18],
  ["P", 15],
  ["T", 12],
  ["G", 9],
  ["M", 6],
  ["k", 3],
  ["", 0],
  ["m", -3],
  ["u", -6],
  ["n", -9],
];

/**
 * A resource quantity in the form in which API servers print it (apimachinery resource.Quantity):
 * no fraction, the largest suffix that keeps an integer. Undefined when `text` is not a quantity.
 */
export function canonicalQuantity(text: string): string | undefined {
  const parts = QUANTITY.exec(text);
  if (parts === null) return undefined;
  const sign = parts[1] === "-" ? "-" : "";
  const suffix = parts[3] ?? "";
  const [whole = "", fraction = ""] = (parts[2] as string).split(".");
  // The value is `digits` times ten to the `exponent`, times 1024 to the power of `binary`.
  let digits = BigInt(whole + fraction);
  let exponent = -fraction.length;
  const binary = BINARY.indexOf(suffix);
  if (binary > 0) {
    digits *= 1024n ** BigInt(binary);
    if (exponent < 0 && digits % 10n ** BigInt(-exponent) === 0n) {
      digits /= 10n ** BigInt(-exponent);
      exponent = 0;
    }
    if (exponent === 0) return sign + printBinary(digits);
  } else if (/^[eE]/.test(suffix)) {
    exponent += Number(suffix.slice(1));
    return printScientific(sign, digits, exponent);
  } else {
    exponent += DECIMAL.find(([name]) => name === suffix)?.[1] ?? 0;
  }
  if (digits === 0n) return "0";
  // Below a nano unit quantities are rounded up.
  if (exponent < -9) {
    const unit = 10n ** BigInt(-9 - exponent);
    digits = (digits + unit - 1n) / unit;
    exponent = -9;
  }
  for (const [name, power] of DECIMAL) {
    const shift = exponent - power;
    if (shift >= 0) return `${sign}${digits * 10n ** BigInt(shift)}${name}`;
    if (digits % 10n ** BigInt(-shift) === 0n)
      return `${sign}${digits / 10n ** BigInt(-shift)}${name}`;
  }
  return undefined;
}

function printBinary(value: bigint): string {
  if (value === 0n) return "0";
  let power = 0;
  while (power < BINARY.length - 1 && value % 1024n === 0n) {
    value /= 1024n;
    power++;
  }
  return `${value}${BINARY[power]}`;
}

function printScientific(sign: string, digits: bigint, exponent: number): string {
  if (digits === 0n) return "0";
  while (digits % 10n === 0n || exponent % 3 !== 0) {
    if (digits % 10n === 0n) {
      digits /= 10n;
      exponent++;
      if (exponent % 3 === 0 && digits % 1000n !== 0n) break;
    } else {
      digits *= 10n;
      exponent--;
    }
  }
  return exponent === 0 ? `${sign}${digits}` : `${sign}${digits}e${exponent}`;
}
