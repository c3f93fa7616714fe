/**
 * Units behind an answer: which they are, and the answer without them.
 *
 * @module
 */

/** Units, and how they are written. */
const UNITS: Readonly<Record<string, RegExp>> = {
  ...{ cm: /^(?:cms?|centimet(?:er|re)s?)$/, mm: /^(?:mm|millimet(?:er|re)s?)$/ },
  ...{ km: /^(?:kms?|kilomet(?:er|re)s?)$/, m: /^(?:m|met(?:er|re)s?)$/ },
  ...{ in: /^(?:in|inch|inches)$/, ft: /^(?:ft|foot|feet)$/, yd: /^(?:yds?|yards?)$/ },
  ...{ mi: /^(?:mi|miles?)$/, kg: /^(?:kgs?|kilograms?)$/, g: /^(?:g|grams?)$/ },
  ...{ lb: /^(?:lbs?)$/, oz: /^(?:oz|ounces?)$/, s: /^(?:s|secs?|seconds?)$/ },
  ...{ min: /^(?:min|mins|minutes?)$/, h: /^(?:h|hrs?|hours?)$/, day: /^days?$/ },
  ...{ week: /^weeks?$/, month: /^months?$/, year: /^(?:yrs?|years?)$/ },
  ...{ "mi/h": /^(?:mph|miles per hour|miles\/hour|mi\/h)$/ },
  ...{ "km/h": /^(?:kph|kmh|km\/h|kilomet(?:er|re)s per hour)$/, L: /^(?:l|lit(?:er|re)s?)$/ },
  ...{ dollar: /^(?:dollars?|usd)$/, cent: /^(?:cents?|¢)$/, euro: /^euros?$/ },
  ...{ degree: /^degrees?$/, radian: /^(?:radians?|rad)$/ },
};
/** Words that only name what is counted. */
const COUNTED = /^(?:units?|people|students?|ways?|points?|pounds?|times)$/;

/** One word for a unit that is known; "" for one that is not. */
function unitOf(words: string, exponent: string): string {
  const own = words.trim().toLowerCase().replace(/\.$/, "");
  const prefix = /^(?:square|sq\.?|cubic)\s+/.exec(own)?.[0] ?? "";
  const by = prefix === "" ? exponent.replace(/\D/g, "") : prefix.startsWith("c") ? "3" : "2";
  const plain = own.slice(prefix.length);
  const known = Object.keys(UNITS).find((unit) => UNITS[unit]!.test(plain));
  return known === undefined ? "" : known + (by === "" || by === "1" ? "" : `^${by}`);
}

const POWER = String.raw`(\s?\^\s?(?:\{\s?[123]\s?\}|[123]))?`;
const IN_COMMAND = new RegExp(String.raw`\\(?:text|mathrm|rm)\s?\{([^{}\d]*)\}${POWER}$`);
const IN_WORDS = new RegExp(
  String
    .raw`(?<=[\d}\s)])((?:(?:square|cubic|sq\.?|per) )?[a-zA-Z]+(?:(?: per |\/)[a-zA-Z]+)?)${POWER}$`,
);
const PERCENT = /\s?(?:\\?%|\\text\s?\{\s?(?:pct|percent(?:age)?)\s?\}|pct|percent(?:age)?)$/;
const DEGREES = /\s?(?:\^\s?(?:\{\s?\\circ\s?\}|\\circ)|°|\\degree)$/;

/** Short units that need no space. */
const ATTACHED = /^(?:cm|mm|km|kg|ft|in|hr|hrs|mph)$/;
const PLAIN = /^[-+]?[\d.,/ ]*\d $/;

/** Whether a word after a number is no factor: 5 m, 5cm, 5 cats, but not 5m, 5 x or \pi r h. */
function isUnit(word: string, unit: string, before: string): boolean {
  if (word.length > 4 || COUNTED.test(word.toLowerCase())) return true;
  if (unit !== "") return word.length > 2 || ATTACHED.test(word) || PLAIN.test(before);
  return word.length === 4 && /^[a-z]*[aeiou][a-z]*s$/.test(word) && PLAIN.test(before);
}

/** An answer without the unit or the percent that it ends with, and that. */
export function splitUnit(text: string): { text: string; unit?: string; percent?: true } {
  const percent = PERCENT.exec(text), degrees = DEGREES.exec(text);
  if (percent) return { text: text.slice(0, percent.index), percent: true };
  if (degrees && !/\\(?:sin|cos|tan|cot|sec|csc)|cis/.test(text)) {
    return { text: text.slice(0, degrees.index), unit: "degree" };
  }
  const without = (at: number, unit: string) => ({
    text: text.slice(0, at).trim(),
    ...(unit !== "" && { unit }),
  });
  const command = IN_COMMAND.exec(text);
  if (command && command.index > 0) {
    const [, words = "", exponent = ""] = command, unit = unitOf(words, exponent);
    // 3\mathrm{i} and 2\text{A} have a factor
    if (unit !== "" || words.trim().length !== 1) return without(command.index, unit);
  }
  const own = /[\d}π]/.test(text) ? IN_WORDS.exec(text) : null;
  if (!own) return { text };
  const [, word = "", exponent = ""] = own, unit = unitOf(word, exponent);
  return isUnit(word, unit, text.slice(0, own.index)) ? without(own.index, unit) : { text };
}
