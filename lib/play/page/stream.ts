/**
 * A text of the server, token by token.
 *
 * @module
 */

/** Events of a body: the data of each. */
async function* eventsOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const events = (rest + next.value).split("\n\n");
    rest = events.pop()!;
    for (const event of events) yield event.replace(/^data: /, "");
  }
}

/**
 * Asks for a text.
 *
 * @param onToken Called with each token.
 * @returns How it ended.
 * @throws {Error} What the server refuses, in its words.
 */
export async function streamed<Told, End>(
  path: string,
  request: object,
  signal: AbortSignal,
  onToken: (token: Told) => void,
): Promise<End> {
  const answer = await fetch(path, {
    ...{ method: "POST", headers: { "content-type": "application/json" }, signal },
    body: JSON.stringify(request),
  }).catch((reason) => {
    throw signal.aborted ? reason : new Error("The playground does not answer: is it running?");
  });
  const fail = ({ error }: { error: { message: string } }): never => {
    throw new Error(error.message);
  };
  if (!answer.ok) return fail(await answer.json());
  for await (const data of eventsOf(answer.body!)) {
    if (data === "[DONE]") break;
    const event = JSON.parse(data);
    if (event.error) fail(event);
    if (event.ended) return event.ended;
    onToken(event.token);
  }
  throw new Error("The server ended the text without a word");
}
