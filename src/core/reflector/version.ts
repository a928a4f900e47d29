/**
 * Whether `version` is older than `other`, both resourceVersions of one collection. Numbers are compared as such
 * (KEP-5504: decimal, without leading zero, of any length). Of anything else nothing is known, and the answer is false.
 */
export function isOlderVersion(version: string, other: string): boolean {
  if (!isNumber(version) || !isNumber(other)) return false;
  return version.length === other.length ? version < other : version.length < other.length;
}

function isNumber(text: string): boolean {
  return /^[1-9][0-9]*$/.test(text);
}
