/**
 * Counts of a server, in Prometheus' text form.
 *
 * Format: https://prometheus.io/docs/instrumenting/exposition_formats/
 *
 * @module
 */

/** Bounds of the histograms, in seconds. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** A label's value as it is written. */
const escaped = (value: string) =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

/** Labels as they are written. */
export function labels(values: Readonly<Record<string, string>>): string {
  return `{${Object.entries(values).map(([name, value]) => `${name}="${escaped(value)}"`).join()}}`;
}

/** The lines of one metric. */
function lines(name: string, kind: string, help: string, samples: readonly string[]): string {
  const own = [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`, ...samples];
  return own.map((line) => `${line}\n`).join("");
}

/** Something that only grows, by labels. */
function counter(name: string, help: string) {
  const counts = new Map<string, number>();
  return {
    add: (count: number, labels = "") => counts.set(labels, (counts.get(labels) ?? 0) + count),
    text: () => {
      const samples = [...counts].map(([labels, count]) => `${name}${labels} ${count}`);
      return lines(name, "counter", help, samples);
    },
  };
}

/** Times, by how long they are. */
function histogram(name: string, help: string) {
  const counts = new Array<number>(BOUNDS.length + 1).fill(0);
  let sum = 0;
  return {
    observe(seconds: number) {
      const at = BOUNDS.findIndex((bound) => seconds <= bound);
      counts[at < 0 ? BOUNDS.length : at]!++;
      sum += seconds;
    },
    text() {
      let below = 0;
      const buckets = counts.map((count, i) => {
        below += count;
        return `${name}_bucket{le="${BOUNDS[i] ?? "+Inf"}"} ${below}`;
      });
      return lines(name, "histogram", help, [
        ...buckets,
        `${name}_sum ${sum}`,
        `${name}_count ${below}`,
      ]);
    },
  };
}

/** A server's counts. */
export type Metrics = ReturnType<typeof openMetrics>;

/** Opens the counts of a server. */
export function openMetrics() {
  const all = {
    requests: counter("moi_requests_total", "Requests answered, by route and status."),
    texts: counter("moi_texts_total", "Texts ended, by reason."),
    promptTokens: counter("moi_prompt_tokens_total", "Tokens of prompts of ended texts."),
    tokens: counter("moi_generated_tokens_total", "Tokens generated."),
    first: histogram("moi_time_to_first_token_seconds", "From a request to its first token."),
    next: histogram("moi_time_to_next_token_seconds", "From a token to the next of its text."),
  };
  return {
    ...all,
    /** All of it, with what is so at the moment. */
    text(now: Readonly<Record<string, readonly [help: string, value: number, labels?: string]>>) {
      const gauges = Object.entries(now).map(([name, [help, value, labels = ""]]) =>
        lines(name, "gauge", help, [`${name}${labels} ${value}`])
      );
      return [...gauges, ...Object.values(all).map((one) => one.text())].join("");
    },
  };
}
