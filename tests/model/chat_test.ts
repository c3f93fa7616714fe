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
  assertEquals(template(MESSAGES, { variables: { enable_thinking: true } }), "think 3true");
  assertEquals(template(MESSAGES), "3true");
  const variables = { messages: [], add_generation_prompt: "x" };
  assertEquals(template(MESSAGES, { variables, addGenerationPrompt: false }), "3false");
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
