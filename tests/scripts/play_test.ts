/** `deno task play` as a process, with the permissions of its task. */

import { assertEquals, assertMatch } from "@std/assert";
import manifest from "../../deno.json" with { type: "json" };
import { freePort } from "../_port.ts";
import { deno } from "../_process.ts";

const [, ...command] = manifest.tasks.play.command.split(" ");

Deno.test("play gives its page, and Ctrl-C ends it and what is being decoded", async () => {
  const port = freePort(), url = `http://127.0.0.1:${port}`;
  const { code, stdout, stderr } = await deno([...command, "--port", `${port}`], {
    async meanwhile(child) {
      let page: Response | undefined;
      for (let tries = 0; !page && tries < 300; tries++) {
        page = await fetch(url).catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      assertMatch(await page!.text(), /<title>MoI playground: votes-tiny<\/title>/);
      const text = await fetch(`${url}/decode`, {
        ...{ method: "POST", headers: { "content-type": "application/json" } },
        body: JSON.stringify({ prompt: [1], max_tokens: 250, ignore_eos: true }),
      });
      child.kill("SIGINT");
      assertMatch(await text.text(), /data: \[DONE\]\n\n$/);
    },
  });
  assertEquals([code, stdout], [0, ""], stderr);
  assertMatch(
    stderr,
    /^votes-tiny \(fp32 on cpu\): open http:\/\/127\.0\.0\.1:\d+ in a browser\n$/,
  );
});

Deno.test("play says so where another program has the port", async () => {
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = other.addr;
  const { code, stdout, stderr } = await deno([...command, "--port", `${port}`]);
  assertEquals([code, stdout], [1, ""]);
  const rule = "'port' must be free, and another program has it \\(0 takes a free one\\)";
  assertMatch(stderr, new RegExp(`^error: Cannot serve as ${rule}: current value is ${port}\n$`));
});
