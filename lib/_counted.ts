/** Numbers of things in words. @module */

/** "1 run", "2 runs". */
export function counted(n: number | string, noun: string): string {
  return `${n} ${noun}${`${n}` === "1" ? "" : "s"}`;
}
