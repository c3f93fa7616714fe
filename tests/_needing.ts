/** Tests of what is not part of the repository and takes minutes to get: left out where it is not there. */

/**
 * A maker of tests that need a folder which a variable names. Without it they are ignored, and their
 * names say how it is made; continuous integration refuses ignored tests.
 */
export function needing(variables: Readonly<Record<string, string>>) {
  const missing = Object.keys(variables).filter((name) => !Deno.env.get(name));
  const how = missing.map((name) => `${name} names no folder: ${variables[name]}`).join(", ");
  return (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
    Deno.test({
      name: missing.length > 0 ? `${name} (skipped: ${how})` : name,
      ignore: missing.length > 0,
      fn,
    });
}

/** What makes each. */
export const VLLM = { MOI_VLLM: "bash .ci/vllm.sh FOLDER" } as const;
export const CLIENTS = { MOI_LM_EVAL: "bash .ci/clients.sh FOLDER" } as const;
export const REAL_MODEL = { MOI_REAL_MODEL: "bash scripts/real_model.sh FOLDER" } as const;
export const JUPYTERLAB = { MOI_JUPYTERLAB: "bash .ci/jupyterlab.sh FOLDER" } as const;
