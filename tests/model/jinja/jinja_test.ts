import { assert, assertEquals, assertThrows } from "@std/assert";
import { jinja, Refusal } from "../../../lib/model/jinja/mod.ts";
import { strftime } from "../../../lib/model/jinja/format.ts";
import { CASES, VARIABLES } from "./_cases.ts";
import TEMPLATES from "./templates.json" with { type: "json" };

const render = (source: string, variables: Record<string, unknown> = VARIABLES) =>
  jinja(source).render(variables);

Deno.test("jinja() renders what jinja2 renders, and raises where it raises", () => {
  for (const [source, text] of CASES) {
    if (text === null) assertThrows(() => render(source), Error, "", source);
    else assertEquals(render(source), text, source);
  }
});

const ROLES: Record<string, string> = { s: "system", u: "user", a: "assistant" };
for (const [name, source, rows] of TEMPLATES as [string, string, unknown[][]][]) {
  Deno.test(`jinja() renders ${name}`, () => {
    for (const [turns, add_generation_prompt, given, text] of rows) {
      const messages = (turns as string[]).map((turn) => ({
        role: ROLES[turn[0]!],
        content: turn.slice(2),
      }));
      const fixed = { tools: null, documents: null, bos_token: "<s>", eos_token: "</s>" };
      const variables = { ...fixed, add_generation_prompt, ...given as object, messages };
      if (text === null) assertThrows(() => render(source, variables), Refusal);
      else assertEquals(render(source, variables), text);
    }
  });
}

Deno.test("jinja() reads every line end as a line feed", () => {
  const source = "a\r\n{% if true %}\r\nb\r{% endif %}\r\nc{{ 'x\r\ny' }}\r\n\r\n";
  assertEquals(render(source), "a\nb\ncx\ny\n");
  assertEquals(render(source), render(source.replaceAll(/\r\n?/g, "\n")));
});

Deno.test("jinja() is as odd as jinja2 at the edges", () => {
  const cases: [string, string][] = [
    ["{% generation %}{{ varargs }}{{ kwargs }}{% set x = 1 %}{% endgeneration %}{{ x }}", "(){}"],
    ["a {#", "a "], // nothing is open where nothing follows
    ["a {% raw %}", "a "],
    ["{{+ 1 }}{{- 2 -}} 3", "123"],
    ["{% for x in [1] %}{% continue %}{% else %}none{% endfor %}", "none"],
    ["{% set l = [1, 2] | map('string') %}{{ l | join }}{{ l | join }}|", "12|"], // read once
  ];
  for (const [source, text] of cases) assertEquals(render(source), text, source);
  assertThrows(() => render("{{ 'a' is even }}"), TypeError, "not all arguments converted");
  assertEquals(render("{{ '%s' is even }}"), "False");
});

Deno.test("jinja() tells whole numbers of its caller from others, at any size", () => {
  const variables = { n: 2, x: 2.5, big: 12345678901234567890n };
  assertEquals(
    render("{{ n }} {{ x }} {{ n / 2 }} {{ big + 1 }}", variables),
    "2 2.5 1.0 12345678901234567891",
  );
});

Deno.test("jinja() takes what JSON can say, and nothing else", () => {
  for (const bad of [() => 1, Symbol("a"), new Date(), new Map(), { a: { b: () => 1 } }]) {
    assertThrows(() => render("{{ v }}", { v: bad }), TypeError, "'v' must hold what JSON can say");
  }
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  assertThrows(() => render("{{ v }}", { v: cyclic }), TypeError, "at most 64 deep");
  assertEquals(render("{{ v }}", { v: { a: undefined, b: [null, "c"] } }), "{'b': [None, 'c']}");
});

const REFUSED: readonly (readonly [source: string, why: string])[] = [
  ["{{ s | pprint }}", "the filter 'pprint' cannot be used"],
  ["{{ l | random }}", "the filter 'random' cannot be used: one seed must give one prompt"],
  ["{{ s | wordwrap(5) }}", "the filter 'wordwrap' cannot be used"],
  ["{{ s | urlize }}", "the filter 'urlize' cannot be used"],
  ["{{ s | nope }}", "no filter named 'nope' (line 1)"],
  ["\n\n{{ s is nope }}", "no test named 'nope' (line 3)"],
  ["{% autoescape true %}a{% endautoescape %}", "the tag 'autoescape' cannot be used"],
  ["{% trans %}a{% endtrans %}", "unknown tag 'trans'"],
];
for (const [source, why] of REFUSED) {
  Deno.test(`jinja() refuses ${JSON.stringify(source)} where it is read`, () => {
    assertThrows(() => jinja(source), SyntaxError, why);
  });
}

Deno.test("jinja() runs past what it refuses where that is not run", () => {
  assertEquals(render("{% if false %}{{ s | pprint }}{% include 'x' %}{% endif %}a"), "a");
  assertEquals(render("{{ 1 if true else s | nope }}"), "1");
  assertThrows(() => render("{% if true %}{{ s | pprint }}{% endif %}"), TypeError, "'pprint'");
  assertThrows(() => render("{% include 'x' %}"), TypeError, "no other templates");
});

const RAISED: readonly (readonly [source: string, why: string])[] = [
  ["{{ lipsum() }}", "lipsum cannot be used"],
  ["{{ s.encode('utf-8') }}", "the attribute 'encode' of a str is not supported"],
  ["{{ l | map('string') }}", "a generator cannot be printed"],
  ["{{ s.upper }}", "cannot be printed"],
  ["{{ ('<' | safe) | upper }}", "a filter of texts does not take Markup"],
  ["{{ strftime_now('%Q') }}", "strftime_now does not know '%Q'"],
  ["{{ missing.x }}", "'missing' is undefined"],
  ["{{ d.x.y }}", "'dict object' has no attribute 'x'"],
  ["{{ raise_exception('roles must alternate') }}", "roles must alternate"],
];
for (const [source, why] of RAISED) {
  Deno.test(`jinja() raises for ${source}`, () => {
    assertThrows(() => render(source), Error, why);
  });
}

Deno.test("a template reaches no object of JavaScript", () => {
  for (
    const path of [
      ...["''.constructor", "''['constructor']", "l.constructor", "l.length", "d.__proto__"],
      ...["d['__proto__']", "d.hasOwnProperty", "range.constructor", "range.call", "n.toFixed"],
      ...["namespace.prototype", "messages.map", "''.__class__", "d.toString", "loop.constructor"],
    ]
  ) {
    const source = `{% for x in [1] %}{{ (${path}) is defined }}{{ ${path} }}{% endfor %}`;
    assertEquals(render(source), "False", path);
    assertThrows(
      () => render(`{% for x in [1] %}{{ (${path})('return 1') }}{% endfor %}`),
      TypeError,
    );
    assertThrows(() => render(`{% for x in [1] %}{{ ${path}.x }}{% endfor %}`), TypeError);
  }
  assertEquals(render("{{ constructor }}{{ __proto__ }}{{ toString }}"), "");
  const own = JSON.parse('{"__proto__": 1, "constructor": 2}');
  assertEquals(render("{{ v['__proto__'] }}{{ v.constructor }}", { v: own }), "12");
  for (const name of ["constructor", "__proto__", "toString"]) {
    assertThrows(() => jinja(`{{ s | ${name} }}`), SyntaxError, "no filter named");
    assertThrows(() => jinja(`{{ s is ${name} }}`), SyntaxError, "no test named");
  }
});

Deno.test("a template changes nothing of its caller's", () => {
  const v = { list: [1], map: { a: 1 } };
  for (const change of ["v.list.append(2)", "v.map.update({'b': 1})", "v.map.pop('a')"]) {
    assertThrows(() => render(`{{ ${change} }}`, { v }), TypeError, "is unsafe to use");
  }
  assertThrows(() => render("{% set v.x = 1 %}", { v }), TypeError, "non-namespace object");
  assertEquals(v, { list: [1], map: { a: 1 } });
});

const ENDLESS: readonly (readonly [source: string, why: string])[] = [
  ["{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "steps"],
  ["{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "deep"],
  [
    "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x = ns.x * 2 %}{% endfor %}",
    "characters",
  ],
  [
    "{% set ns = namespace(a=[1], b=[1]) %}{% for i in range(40) %}{% set ns.a = [ns.a, ns.a] %}" +
    "{% set ns.b = [ns.b, ns.b] %}{% endfor %}{{ ns.a == ns.b }}",
    "steps",
  ],
  ["{{ 'a' * 10 ** 12 }}", "characters"],
  ["{{ [0] * 10 ** 12 }}", "characters"],
  ["{{ 9 ** 99999 }}", "digits"],
  ["{{ 10 ** 5000 }}", "digits"],
  ["{{ 's'.center(10 ** 12) }}", "characters"],
  ["{{ ('a' * 10 ** 6).replace('a', 'a' * 1000) }}", "characters"],
  ["{{ '%999999999d' % 1 }}", "characters"],
  ["{{ '{:999999999}'.format(1) }}", "characters"],
  ["{{ range(10 ** 9) }}", "range() is longer"],
  ["{{ range(99999) | map('center', 10 ** 6) | join }}", "steps"],
  [`{{ ${"(".repeat(9999)}1${")".repeat(9999)} }}`, "nested too deeply"],
  [`{{ ${"not ".repeat(9999)}1 }}`, "nested too deeply"],
  [`{{ 1${" + 1".repeat(9999)} }}`, "deep"],
  ["{% if 1 %}".repeat(9999), "nested too deeply"],
];
for (const [source, why] of ENDLESS) {
  Deno.test(`a template that does too much ends: ${source.slice(0, 60)}`, () => {
    assertThrows(() => render(source), Error, why);
  });
}

Deno.test("zeros that take part in a grouping are counted, not tried", () => {
  assertEquals(render("{{ '{:09999998,}'.format(1) | length }}"), "9999998");
  assertEquals(render("{{ '{:010000000,}'.format(1) | length }}"), "10000001"); // no comma leads
});

Deno.test("a long conversation is far within the bounds", () => {
  const messages = Array.from({ length: 2000 }, (_, i) => ({
    role: i % 2 ? "assistant" : "user",
    content: "word ".repeat(100),
  }));
  const text = render(
    "{% for m in messages %}{% if m.role == 'user' %}<u>{% endif %}{{ m.content | trim }}\n{% endfor %}",
    { messages },
  );
  assertEquals(text.split("\n").length, 2001);
  assert(text.startsWith("<u>word word"));
});

Deno.test("strftime() is that of C, in English", () => {
  const time = new Date(2026, 0, 4, 9, 5, 7); // a Sunday
  const cases: Record<string, string> = {
    "%d %b %Y": "04 Jan 2026",
    "%A, %B %-d, %Y": "Sunday, January 4, 2026",
    "%Y-%m-%d %H:%M:%S": "2026-01-04 09:05:07",
    "%F %T %D %R": "2026-01-04 09:05:07 01/04/26 09:05",
    "%I:%M %p|%-I|%e|%y|%j": "09:05 AM|9| 4|26|004",
    "%a %w %u %U %W %V %G": "Sun 0 7 01 00 01 2026",
    "%c|%x|%X": "Sun Jan  4 09:05:07 2026|01/04/26|09:05:07",
    "100%%|%Z%z|%^a|%C": "100%||SUN|20",
  };
  for (const [pattern, text] of Object.entries(cases)) assertEquals(strftime(time, pattern), text);
});
