import { assertEquals, assertThrows } from "@std/assert";
import { loadModel } from "@moi/moi/model";
import { chatTemplate } from "../../lib/model/chat.ts";

const MESSAGES = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "Hi" },
  { role: "assistant", content: "Ho" },
];

Deno.test("chat() of an embedded model ends with the start of the answer unless asked not to", async () => {
  await using model = await loadModel("votes-tiny");
  const text = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n" +
    "<|im_start|>assistant\nHo<|im_end|>\n";
  const prompt = "<|im_start|>assistant\n<think>\n";
  assertEquals(model.chat(MESSAGES), text + prompt);
  assertEquals(model.chat(MESSAGES, { addGenerationPrompt: true }), text + prompt);
  assertEquals(model.chat(MESSAGES, { addGenerationPrompt: false }), text);
  assertEquals(model.chat([]), prompt);
});

Deno.test("chatTemplate() refuses a model without a template", () => {
  for (const chat_template of [undefined, null, 5, [], {}]) {
    assertThrows(
      () => chatTemplate({ chat_template })(MESSAGES),
      TypeError,
      "the model has no chat template",
    );
  }
});

Deno.test("chatTemplate() knows the special tokens, as text or as objects", () => {
  const template = chatTemplate({
    chat_template: "{{ bos_token }}|{{ eos_token }}|{{ pad_token }}|{{ unk_token }}",
    bos_token: "<s>",
    eos_token: { content: "</s>", special: true },
    pad_token: null,
  });
  assertEquals(template([]), "<s>|</s>||");
});

Deno.test("chatTemplate() hands on further variables, which cannot replace the messages", () => {
  const chat_template = "{% if enable_thinking %}think {% endif %}{{ messages | length }}" +
    "{{ add_generation_prompt }}";
  const template = chatTemplate({ chat_template });
  assertEquals(template(MESSAGES, { variables: { enable_thinking: true } }), "think 3True");
  assertEquals(template(MESSAGES, { variables: { enable_thinking: undefined } }), "3True");
  assertEquals(template(MESSAGES), "3True");
  assertEquals(template(MESSAGES, { addGenerationPrompt: false }), "3False");
  for (const name of ["messages", "add_generation_prompt"]) {
    const message = `Cannot render the chat as '${name}' is no variable of 'chat'`;
    assertThrows(() => template(MESSAGES, { variables: { [name]: [] } }), TypeError, message);
  }
});

Deno.test("chatTemplate() refuses variables that the template never reads", () => {
  const template = chatTemplate({
    chat_template: "{% set own = 1 %}{{ enable_thinking }}{# comment #}text",
  });
  assertEquals(template([], { variables: { enable_thinking: false } }), "Falsetext");
  for (const name of ["enable_thinkin", "Enable_thinking", "text", "comment", "own", "tools"]) {
    const message = `the model's template does not read the variable '${name}'`;
    assertThrows(() => template([], { variables: { [name]: 1 } }), TypeError, message);
  }
  for (const variables of [null, 5, "a", []] as never[]) {
    assertThrows(() => template([], { variables }), TypeError, "'variables' must be an object");
  }
  const f = { enable_thinking: () => true };
  assertThrows(() => template([], { variables: f }), TypeError, "must hold what JSON can say");
});

const TOOL = { type: "function", function: { name: "f" } };
const TOOLS: readonly (readonly [template: string, none: string, given: string])[] = [
  ["{{ tools is not none }}", "False", "True"],
  ["{{ tools is none }}", "True", "False"],
  ["{{ tools is defined }}", "True", "True"],
  ["{{ tools is defined and tools is not none }}", "False", "True"],
  ["{{ tools }}", "None", "[{'type': 'function', 'function': {'name': 'f'}}]"],
  ["{% if tools %}T{% endif %}", "", "T"],
  [
    "{% if not tools is defined %}{% set tools = none %}{% endif %}{{ tools is none }}",
    "True",
    "False",
  ],
  [
    "{% if tools is not none %}[TOOLS]{{ tools | tojson }}[/TOOLS]{% endif %}",
    "",
    '[TOOLS][{"type": "function", "function": {"name": "f"}}][/TOOLS]',
  ],
  ["{{ tools | length if tools else 0 }}", "0", "1"],
  [
    "{{ tools == [] }}|{{ tools | tojson }}",
    "False|null",
    'False|[{"type": "function", "function": {"name": "f"}}]',
  ],
];
for (const [chat_template, none, given] of TOOLS) {
  for (const name of ["tools", "documents"]) {
    const template = chatTemplate({ chat_template: chat_template.replaceAll("tools", name) });
    Deno.test(`chatTemplate() has no ${name} unless given: ${chat_template}`, () => {
      assertEquals(template(MESSAGES), none);
      assertEquals(template(MESSAGES, { variables: { [name]: [TOOL] } }), given);
    });
  }
}

Deno.test("chatTemplate() takes the template for tools where there are tools", () => {
  const template = chatTemplate({
    chat_template: [
      { name: "default", template: "plain" },
      { name: "tool_use", template: "{{ tools | length }} tools" },
    ],
  });
  assertEquals(template([]), "plain");
  assertEquals(template([], { variables: { tools: [TOOL, TOOL] } }), "2 tools");
});

Deno.test("chatTemplate() reads templates with any line ends", () => {
  const source = "{% for m in messages %}\n  {{ m.role }}\n{% endfor %}\nend\n";
  for (const end of ["\n", "\r\n", "\r"]) {
    const template = chatTemplate({ chat_template: source.replaceAll("\n", end) });
    assertEquals(template(MESSAGES), "  system\n  user\n  assistant\nend");
  }
});

Deno.test("chatTemplate() knows special tokens of any name, which variables replace", () => {
  const config = {
    chat_template: "{{ bos_token }}{{ image_token }}{{ boi }}{{ add_bos_token }}",
    ...{ bos_token: "<s>", image_token: "<img>", add_bos_token: true },
    extra_special_tokens: { boi: { content: "<boi>" } },
  };
  assertEquals(chatTemplate(config)([]), "<s><img><boi>");
  assertEquals(chatTemplate(config)([], { variables: { bos_token: "" } }), "<img><boi>");
});

Deno.test("chatTemplate() says in a sentence why it cannot render", () => {
  const cases: [string, ErrorConstructor, string][] = [
    ["{{ raise_exception('no system') }}", Error, "as the model's template refuses it: no system"],
    ["{{ a.b }}", TypeError, "by the model's template: 'a' is undefined"],
    ["{% if %}", SyntaxError, "by the model's template: expected an expression, found"],
    ["{{ messages | pprint }}", SyntaxError, "the filter 'pprint' cannot be used"],
    ["{{ 'a' * 10 ** 12 }}", RangeError, "by the model's template: the template makes more than"],
  ];
  for (const [chat_template, type, why] of cases) {
    const error = assertThrows(() => chatTemplate({ chat_template })([]), type, why) as Error;
    assertEquals(error.message.startsWith("Cannot render the chat "), true);
  }
});

Deno.test("chatTemplate() hands on the words of a template that refuses its messages", () => {
  const template = chatTemplate({
    chat_template: "{{ raise_exception('roles must alternate') }}",
  });
  assertThrows(() => template(MESSAGES), Error, "roles must alternate");
});

Deno.test("chatTemplate() fails only when used where the template is damaged", () => {
  const template = chatTemplate({ chat_template: "{% for %}" });
  assertThrows(() => template(MESSAGES), Error);
});

Deno.test("chatTemplate() shows roles and contents alone", () => {
  const template = chatTemplate({
    chat_template: "{% for m in messages %}{{ m.role }}={{ m.content }}{{ m.secret }};{% endfor %}",
  });
  const messages = [{ role: "user", content: "{{ 1 + 1 }} <b>", secret: "x" }];
  assertEquals(template(messages), "user={{ 1 + 1 }} <b>;");
});
