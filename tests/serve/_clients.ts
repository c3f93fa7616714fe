/** The folder of the clients that come from PyPI. */
export function clientsFolder(): string {
  const folder = Deno.env.get("MOI_LM_EVAL");
  if (folder !== undefined) return folder;
  throw new Error(
    "Cannot ask as clients in Python do: MOI_LM_EVAL must name a folder that " +
      "`bash .ci/clients.sh FOLDER` has filled",
  );
}
