/** JSON as files of other tools have it. Texts of numbers are what CPython's `decimal` keeps of them. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { exactNumber, parseJson, textIn } from "../lib/_json.ts";
import { seeded } from "./_random.ts";

Deno.test("parseJson() loses no digit", () => {
  const cases: readonly [string, number | string][] = [
    ["0", 0],
    ["-7", -7],
    ["1.0", 1],
    ["0.10", 0.1],
    ["1e3", 1000],
    ["2.5E-3", 0.0025],
    ["0.30000000000000004", 0.30000000000000004],
    ["0.3443984985351562", 0.3443984985351562],
    ["9007199254740991", 9007199254740991],
    ["-9007199254740991", -9007199254740991],
    ["9007199254740992", "9007199254740992"], // another integer has the same double
    ["9007199254740993", "9007199254740993"],
    ["-9007199254740993", "-9007199254740993"],
    ["1000000000000000000000", "1000000000000000000000"],
    ["1e22", "1e22"],
    ["123456789012345678901234567890", "123456789012345678901234567890"],
    ["0.1234567890123456789", "0.1234567890123456789"],
    ["12345678.901234567890123", "12345678.901234567890123"],
    ["3.14159265358979323846", "3.14159265358979323846"],
    ["1e400", "1e400"],
    ["1e-400", "1e-400"],
    ["0e999", 0],
    ["0.000", 0],
    ["100000000000000000000e-20", 1],
    ["0.00000000000000000000000001", 1e-26],
  ];
  for (const [source, value] of cases) {
    assertEquals(parseJson(source), value, source);
    assertEquals(parseJson(`{"a":[${source}, 1]}`), { a: [value, 1] }, source);
  }
  assertEquals(parseJson('"9007199254740993 1e400"'), "9007199254740993 1e400");
});

Deno.test("exactNumber() is a number where its shortest text is the number written", () => {
  const random = seeded(5);
  for (let i = 0; i < 2000; i++) {
    const digits = Array.from({ length: 1 + random.below(22) }, () => random.below(10)).join("");
    const at = random.below(digits.length + 1);
    const token = `${digits.slice(0, at) || "0"}${
      at < digits.length ? `.${digits.slice(at)}` : ""
    }`;
    const value = exactNumber(token);
    if (typeof value === "string") assertEquals(value, token);
    else {
      assert(value <= Number.MAX_SAFE_INTEGER || !Number.isInteger(value));
      const [whole = "", fraction = ""] = token.split(".");
      const scale = 10n ** BigInt(fraction.length), exact = BigInt(whole + fraction);
      const [w = "", f = ""] = value.toFixed(30).split("."); // toFixed is exact to 30 places
      const double = BigInt(w + f) * scale, wanted = exact * 10n ** 30n;
      const off = double > wanted ? double - wanted : wanted - double;
      assert(off * 2n ** 52n <= wanted, token); // the nearest double
    }
  }
});

Deno.test("parseJson() reads what Python writes for what is missing", () => {
  assertEquals(parseJson("[NaN, Infinity, -Infinity, 1]"), [null, null, null, 1]);
  assertEquals(parseJson('{"a":NaN,"NaN":"NaN, -Infinity","b":"\\"NaN\\\\","c":NaN}'), {
    a: null,
    NaN: "NaN, -Infinity",
    b: '"NaN\\',
    c: null,
  });
  assertEquals(parseJson("NaN"), null);
  assertEquals(parseJson('{"n":9007199254740993,"v":NaN}'), { n: "9007199254740993", v: null });
  for (const bad of ["NaNa", "[Infinit]", '["NaN]', "{NaN:1}", "[nan]", "[NaN", "+Infinity", ""]) {
    assertThrows(() => parseJson(bad), SyntaxError);
  }
});

Deno.test("parseJson() takes a byte order mark, and leaves prototypes alone", () => {
  assertEquals(parseJson('\ufeff{"a":1}'), { a: 1 });
  for (const source of ['{"__proto__":{"x":1}}', '{"__proto__":{"x":9007199254740993}}']) {
    const value = parseJson(source) as object;
    assert(Object.hasOwn(value, "__proto__"));
    assertEquals((value as { x?: unknown }).x, undefined);
  }
});

Deno.test("parseJson() ends on long texts of one kind", () => {
  const slashes = "\\".repeat(1_000_000);
  assertEquals(parseJson(`["${slashes}", NaN]`), [slashes.slice(0, 500_000), null]);
  assertThrows(() => parseJson('"'.repeat(1_000_000) + "NaN"), SyntaxError);
  const token = `1${"0".repeat(1_000_000)}1`;
  assertEquals(parseJson(token), token);
});

Deno.test("textIn() reads UTF-8 and UTF-16, and refuses what is neither", () => {
  const utf16 = (text: string, little: boolean) => {
    const bytes = new Uint8Array(2 * text.length), view = new DataView(bytes.buffer);
    [...text].forEach((_, i) => view.setUint16(2 * i, text.charCodeAt(i), little));
    return bytes;
  };
  assertEquals(textIn(new TextEncoder().encode("\ufeffaü")), "aü");
  assertEquals(textIn(utf16("\ufeffaü", true)), "aü");
  assertEquals(textIn(utf16("\ufeffaü", false)), "aü");
  assertThrows(() => textIn(new Uint8Array([0x61, 0xfc])), TypeError); // Latin-1
});
