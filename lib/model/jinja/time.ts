/** C's `strftime`. @module */

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  ...["January", "February", "March", "April", "May", "June", "July", "August", "September"],
  ...["October", "November", "December"],
];

/** Formats that stand for others. */
const SHORTHANDS: Readonly<Record<string, string>> = {
  ...{ c: "%a %b %e %H:%M:%S %Y", D: "%m/%d/%y", F: "%Y-%m-%d", r: "%I:%M:%S %p", R: "%H:%M" },
  ...{ T: "%H:%M:%S", x: "%m/%d/%y", X: "%H:%M:%S", h: "%b", n: "\n", t: "\t", z: "", Z: "" },
};

/** A local time by C's `strftime`, in the C locale and without a zone, as Python's `datetime`. */
export function strftime(time: Date, pattern: string): string {
  const two = (n: number) => String(n).padStart(2, "0"), blank = (n: number) => `${n}`.padStart(2);
  const hour = time.getHours(), hour12 = hour % 12 || 12, year = time.getFullYear();
  const month = time.getMonth(), day = time.getDate();
  const dayOfYear = Math.round((Date.UTC(year, month, day) - Date.UTC(year, 0, 1)) / 864e5);
  const weekday = time.getDay(), monday = (weekday + 6) % 7;
  const week = (first: number) => two(Math.floor((dayOfYear + 7 - first) / 7));
  const thursday = new Date(Date.UTC(year, month, day + 3 - monday));
  const isoYear = thursday.getUTCFullYear();
  const isoWeek = Math.floor((+thursday - Date.UTC(isoYear, 0, 1)) / 6048e5) + 1;
  const known: Readonly<Record<string, string>> = {
    ...{ A: DAYS[weekday]!, a: DAYS[weekday]!.slice(0, 3), u: `${monday + 1}`, w: `${weekday}` },
    ...{ B: MONTHS[month]!, b: MONTHS[month]!.slice(0, 3), m: two(month + 1) },
    ...{ d: two(day), e: blank(day), j: String(dayOfYear + 1).padStart(3, "0") },
    ...{ Y: `${year}`, y: two(year % 100), C: two(Math.floor(year / 100)) },
    ...{ G: `${isoYear}`, g: two(isoYear % 100), V: two(isoWeek), U: week(weekday) },
    ...{ W: week(monday), H: two(hour), I: two(hour12), k: blank(hour), l: blank(hour12) },
    ...{ M: two(time.getMinutes()), S: two(time.getSeconds()), s: `${Math.floor(+time / 1000)}` },
    ...{ f: String(time.getMilliseconds() * 1000).padStart(6, "0"), "%": "%" },
    ...{ p: hour < 12 ? "AM" : "PM", P: hour < 12 ? "am" : "pm" },
  };
  const written = (name: string) =>
    Object.hasOwn(known, name)
      ? known[name]
      : Object.hasOwn(SHORTHANDS, name)
      ? strftime(time, SHORTHANDS[name]!)
      : undefined;
  return pattern.replace(/%([-_0^]?)(.?)/gsu, (whole, flag: string, name: string) => {
    const text = written(name);
    if (text === undefined) throw new TypeError(`strftime_now does not know '${whole}'`);
    if (flag === "-") return text.replace(/^[0 ]+(?=.)/, "");
    if (flag === "_") return text.replace(/^0+(?=.)/, (zeros) => " ".repeat(zeros.length));
    if (flag === "0") return text.replace(/^ +/, (blanks) => "0".repeat(blanks.length));
    return flag === "^" ? text.toUpperCase() : text;
  });
}
