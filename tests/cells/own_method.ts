/** A method of one's own: where the model hesitates, the last token is heard once more. */

import { gains, gainsTable, loadModel, moi, plotGains, runStudy, standard, votes } from "@moi/moi";
import type { Method } from "@moi/moi";

function echo(share: number, least = 0.2): Method {
  return {
    name: "echo",
    parameters: { share, least },
    init: () => undefined,
    step({ normalizedEntropy }, token, last) {
      const isSure = normalizedEntropy < least || last === undefined || last === token;
      const input = isSure
        ? { ids: [token], weights: [1] }
        : { ids: [token, last as number], weights: [1 - share, share] };
      return { input, state: token };
    },
  };
}

await using model = await loadModel("votes-tiny");
const methods = { standard: standard(), moi: moi({ beta: 0.25 }), echo: echo(0.25) };
const runs = await runStudy({ model, task: votes({ limit: 30 }), methods });

export const rows = gains(runs);
export const table = gainsTable(rows);
export const figure = plotGains(rows, { title: "A method of one's own, beside MoI" });
