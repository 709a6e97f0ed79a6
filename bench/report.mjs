export function report(result) {
  return JSON.stringify(result, null, 2);
}
