/** The page of the playground as one document: it needs nothing but its server. @module */

import { createHash } from "node:crypto";
import { escapeHtml, scriptJson } from "../_escape.ts";
import type { Model } from "../model/mod.ts";
import coloursCss from "../plot/page/colours.css" with { type: "text" };
import tokensCss from "../plot/page/tokens.css" with { type: "text" };
import { scriptOf } from "../plot/page/script.ts";
import tokenListCode from "../plot/page/token_list.ts" with { type: "text" };
import tokensCode from "../plot/page/tokens.ts" with { type: "text" };
import { KNOBS } from "../serve/method_fields.ts";
import { CONTROLS, TASKS } from "../tasks/registry.ts";
import detailCode from "./page/detail.ts" with { type: "text" };
import mainCode from "./page/main.ts" with { type: "text" };
import methodFormCode from "./page/method_form.ts" with { type: "text" };
import partsCode from "./page/parts.ts" with { type: "text" };
import css from "./page/play.css" with { type: "text" };
import sideCode from "./page/side.ts" with { type: "text" };
import streamCode from "./page/stream.ts" with { type: "text" };

/** The settings of the form: fields of a request, and what they are called. */
const SETTINGS = {
  temperature: "temperature",
  top_p: "top-p",
  top_k: "top-k",
  min_p: "min-p",
  max_tokens: "new tokens",
  seed: "seed",
} as const;

/** New tokens where the model recommends no number. */
const NEW_TOKENS = 128;

/** A prompt to begin with: of an embedded model one that it was made for. */
async function examplePrompt({ id }: Model): Promise<string> {
  if (!Object.hasOwn(CONTROLS, id)) {
    return "How many days are there in three weeks? Think step by step.";
  }
  const task = TASKS[CONTROLS[id]!]!.make({ limit: 1 }), [problem] = await task.problems();
  const prompt = task.prompt(problem!);
  return typeof prompt === "string" ? prompt : prompt.map(({ content }) => content).join("\n");
}

/** What the page is told of the model. */
async function aboutModel(model: Model) {
  const { temperature = 1, topP = 1, topK = 0, minP = 0, maxNewTokens } = model.defaults;
  return {
    methods: KNOBS,
    sampler: {
      ...{ temperature, top_p: topP, top_k: topK, min_p: minP, seed: 0 },
      max_tokens: maxNewTokens ?? Math.min(NEW_TOKENS, model.maxLength >> 1),
    },
    prompt: await examplePrompt(model),
    as: model.template === undefined ? "text" : "chat",
  };
}

/** The hash of a text by which a policy allows it. */
const hashOf = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Headers of a page that runs this script, has this style, asks its own server, and nothing else. */
function headersOf(script: string, style: string): Record<string, string> {
  const policy = [
    ...["default-src 'none'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'"],
    ...["frame-ancestors 'none'", `script-src ${hashOf(script)}`, `style-src ${hashOf(style)}`],
  ];
  return {
    ...{ "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
    ...{ "content-security-policy": policy.join("; "), "x-content-type-options": "nosniff" },
    ...{ "referrer-policy": "no-referrer", "cross-origin-resource-policy": "same-origin" },
  };
}

/** The page and its headers. */
export async function pageOf(model: Model, name: string): Promise<[string, ResponseInit]> {
  const script = scriptOf(
    ...[tokensCode, tokenListCode, partsCode, streamCode, methodFormCode, sideCode, detailCode],
    mainCode,
  );
  const style = coloursCss + css + tokensCss;
  const about = scriptJson(JSON.stringify(await aboutModel(model)));
  const settings = Object.entries(SETTINGS).map(([field, label]) =>
    `<label>${label} <input type="number" step="any" min="0" data-field="${field}"></label>`
  ).join("\n");
  const { dtype, device, maxLength, config: { vocabularySize, architecture } } = model;
  const facts = `${architecture}, ${dtype} on ${device}, ${vocabularySize} tokens, ` +
    `context ${maxLength}`;
  const hasChat = model.template !== undefined;
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>MoI playground: ${escapeHtml(name)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>Mixture of Inputs, side by side</h1>
<p class="muted">${escapeHtml(name)}: ${escapeHtml(facts)}. Both answers draw with the same
random numbers. Choose a token to see what was fed back after it; then move β, and the text goes on
anew from there.</p>
</header>
<main>
<form id="form">
<label for="prompt">prompt</label>
<textarea id="prompt" rows="4" spellcheck="false"></textarea>
<div class="row">
<label>as <select id="as">${hasChat ? `<option value="chat">a user's message</option>` : ""}
<option value="text">plain text</option>
<option value="ids">token ids</option></select></label>
${settings}
<button class="primary" id="run">Run</button>
<button type="button" id="stop" disabled>Stop</button>
</div>
<div class="row">
<label class="check"><input type="checkbox" id="colours" checked> colour by entropy H</label>
<span class="muted">0 <span class="ramp"></span> <span id="largest">–</span></span>
<span class="muted"><span class="legend-parts">dotted</span>: from where the texts part</span>
</div>
</form>
<section id="sides" class="sides" aria-label="answers"></section>
<section id="detail" class="detail" aria-label="what was fed back"></section>
</main>
<script type="application/json" id="about">${about}</script>
<script>${script}</script>
</body>
</html>
`;
  return [html, { headers: headersOf(script, style) }];
}
