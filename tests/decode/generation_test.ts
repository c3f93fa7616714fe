import { assertEquals, assertThrows } from "@std/assert";
import { type Prompt, promptTokens, type Request } from "@moi/moi/decode";
import { jobOf } from "../../lib/decode/generation.ts";
import type { Model } from "@moi/moi/model";
import { BOS, END, EOS, ids, mockModel, VOCABULARY } from "../_mock_model.ts";

const model = mockModel({ maxLength: 16 });

Deno.test("promptTokens() of a text starts with BOS where the tokenizer says so", () => {
  assertEquals(promptTokens(model, "ab c"), [BOS, ...ids("ab c")]);
  assertEquals(promptTokens(mockModel({ bos: false }), "ab c"), ids("ab c"));
});

Deno.test("promptTokens() of messages renders the chat, which writes its own BOS", () => {
  const messages = [{ role: "user", content: "hi" }, { role: "assistant", content: "you" }];
  assertEquals(promptTokens(model, messages), [BOS, ...ids("hi.you.")]);
});

Deno.test("promptTokens() hands variables on to the chat template, and to no other prompt", () => {
  const seen: unknown[] = [];
  const talking: Model = {
    ...model,
    chat(messages, options) {
      seen.push(options);
      return model.chat(messages, options);
    },
  };
  const messages = [{ role: "user", content: "hi" }], chat = { enable_thinking: false };
  promptTokens(talking, messages, chat);
  promptTokens(talking, messages);
  jobOf(talking, { prompt: messages, chat }, 0);
  assertEquals(seen, [{ variables: chat }, {}, { variables: chat }]);
  for (const prompt of ["ab", [4, 5]]) {
    const message =
      "Cannot generate as 'chat' must be left out where the prompt is no conversation";
    assertThrows(() => promptTokens(model, prompt, {}), TypeError, message);
    assertThrows(() => jobOf(model, { prompt, chat }, 0), TypeError, message);
  }
  for (const chat of [null, 5, "a", [1]] as never[]) {
    assertThrows(() => promptTokens(model, messages, chat), TypeError, "'chat' must be an object");
  }
});

Deno.test("promptTokens() takes ids as they are", () => {
  assertEquals(promptTokens(model, [5, EOS, BOS]), [5, EOS, BOS]);
});

Deno.test("jobOf() fills in what is left out", () => {
  const { method, eos, ...job } = jobOf(model, { prompt: [4] }, 3);
  assertEquals(method.name, "standard");
  assertEquals([...eos], [EOS]);
  assertEquals(job, {
    index: 3,
    prompt: [4],
    sampler: { temperature: 1, topK: 0, topP: 1, minP: 0 },
    maxNewTokens: 256,
    stop: [],
    seed: 0,
    ignoreEos: false,
    notes: false,
    tells: false,
    top: 0,
    signal: undefined,
  });
});

Deno.test("jobOf() takes the model's own settings, and the request's before those", () => {
  const defaults = { temperature: 0.6, topK: 20, topP: 0.95, minP: 0.1, maxNewTokens: 7 };
  const recommended = mockModel({ defaults });
  const { sampler, maxNewTokens } = jobOf(recommended, { prompt: [4] }, 0);
  assertEquals({ ...sampler, maxNewTokens }, defaults);
  const own = { temperature: 0, topK: 0, topP: 1, minP: 0, maxNewTokens: 3 };
  const asked = jobOf(recommended, { prompt: [4], ...own }, 0);
  assertEquals({ ...asked.sampler, maxNewTokens: asked.maxNewTokens }, own);
});

Deno.test("jobOf() ends at all end-of-text ids, or at none with ignoreEos", () => {
  const two = mockModel({ eos: [EOS, END] });
  assertEquals([...jobOf(two, { prompt: [4] }, 0).eos], [EOS, END]);
  assertEquals([...jobOf(two, { prompt: [4], ignoreEos: true }, 0).eos], []);
});

Deno.test("jobOf() records 10 candidates of a trace unless told how many", () => {
  const top = (trace: NonNullable<Request["trace"]>) => jobOf(model, { prompt: [4], trace }, 0).top;
  assertEquals([top(false), top(true), top({}), top({ top: 3 })], [0, 10, 10, 3]);
});

Deno.test("jobOf() takes a prompt that fills the context", () => {
  assertEquals(jobOf(model, { prompt: Array(16).fill(4) }, 0).prompt.length, 16);
});

const NO_PROMPT = "'prompt' must be a string, messages or token ids: current value is";
const OUTSIDE = `'prompt' must be an integer at least 0 and at most ${VOCABULARY - 1}`;
const LENGTH =
  "the prompt must have 1 to 16 tokens, the model's context ('maxLength' of loadModel): current value is";
const REFUSED_PROMPTS: [unknown, typeof RangeError | typeof TypeError, string][] = [
  [undefined, TypeError, `${NO_PROMPT} undefined`],
  [null, TypeError, `${NO_PROMPT} null`],
  [5, TypeError, `${NO_PROMPT} 5`],
  [{ role: "user", content: "a" }, TypeError, NO_PROMPT],
  [[], RangeError, `${LENGTH} 0`],
  ["abcdefghijklmnop", RangeError, `${LENGTH} 17`],
  [Array(17).fill(4), RangeError, `${LENGTH} 17`],
  [[4, VOCABULARY], RangeError, `${OUTSIDE}: current value is ${VOCABULARY}`],
  [[-1], RangeError, `${OUTSIDE}: current value is -1`],
  [[1.5], RangeError, `${OUTSIDE}: current value is 1.5`],
  [[4, "5"], TypeError, `${OUTSIDE}: current value is "5"`],
  [[4, { role: "user", content: "a" }], TypeError, OUTSIDE],
  [[null], TypeError, `${OUTSIDE}: current value is null`],
];
for (const [prompt, type, sentence] of REFUSED_PROMPTS) {
  Deno.test(`jobOf() refuses the prompt ${Deno.inspect(prompt, { compact: true })}`, () => {
    const message = `Cannot generate as ${sentence}`;
    assertThrows(() => jobOf(model, { prompt: prompt as Prompt }, 0), type, message);
  });
}

Deno.test("jobOf() refuses an empty text that gets no BOS", () => {
  const bare = mockModel({ bos: false, maxLength: 16 });
  assertThrows(() => jobOf(bare, { prompt: "" }, 0), RangeError, `${LENGTH} 0`);
});

const REFUSED: [object, typeof RangeError | typeof TypeError, string][] = [
  [{ temperatur: 1 }, TypeError, "'temperatur' is not an option: known options are prompt, method"],
  [{ temperature: -1 }, RangeError, "'temperature' must be a number at least 0"],
  [{ topP: 0 }, RangeError, "'topP' must be a number greater than 0 and at most 1"],
  [{ topK: "5" }, TypeError, "'topK' must be an integer at least 0"],
  [{ minP: 2 }, RangeError, "'minP' must be a number at least 0 and at most 1"],
  [{ maxNewTokens: 0 }, RangeError, "'maxNewTokens' must be an integer at least 1"],
  [{ maxNewTokens: 1.5 }, RangeError, "'maxNewTokens' must be an integer at least 1"],
  [{ maxNewTokens: Infinity }, RangeError, "'maxNewTokens' must be an integer at least 1"],
  [{ maxNewTokens: "9" }, TypeError, "'maxNewTokens' must be an integer at least 1"],
  [{ seed: -1 }, RangeError, "'seed' must be an integer at least 0: current value is -1"],
  [{ seed: 2 ** 53 }, RangeError, "'seed' must be an integer at least 0"],
  [{ seed: 0.5 }, RangeError, "'seed' must be an integer at least 0: current value is 0.5"],
  [{ seed: "7" }, TypeError, `'seed' must be an integer at least 0: current value is "7"`],
  [{ stop: "." }, TypeError, "'stop' must be a list of non-empty strings"],
  [{ stop: [""] }, TypeError, "'stop' must be a list of non-empty strings"],
  [{ stop: [5] }, TypeError, "'stop' must be a list of non-empty strings"],
  [{ method: "moi" }, TypeError, "'method' must have a name and the functions init and step"],
  [{ method: null }, TypeError, "'method' must have a name and the functions init and step"],
  [{ method: { init() {}, step() {} } }, TypeError, "'method' must have a name"],
  [
    { method: { init() {} } },
    TypeError,
    "'method' must have a name and the functions init and step",
  ],
  [{ ignoreEos: "no" }, TypeError, `'ignoreEos' must be true or false: current value is "no"`],
  [{ signal: {} }, TypeError, "'signal' must be an AbortSignal: current value is {}"],
  [
    { trace: 3 },
    TypeError,
    `'trace' must be true, false, "compact" or an object: current value is 3`,
  ],
  [
    { trace: null },
    TypeError,
    `'trace' must be true, false, "compact" or an object: current value is null`,
  ],
  [{ trace: { top: 0 } }, RangeError, "'trace.top' must be an integer at least 1"],
  [{ trace: { top: 1.5 } }, RangeError, "'trace.top' must be an integer at least 1"],
  [{ trace: { tpo: 5 } }, TypeError, "'tpo' is not an option: known options are top"],
];
for (const [options, type, sentence] of REFUSED) {
  Deno.test(`jobOf() refuses ${Deno.inspect(options, { compact: true })}`, () => {
    const verb = /'(temperature|top[KP]|minP)'/.test(sentence) ? "sample" : "generate";
    assertThrows(
      () => jobOf(model, { prompt: [4], ...options }, 0),
      type,
      `Cannot ${verb} as ${sentence}`,
    );
  });
}
