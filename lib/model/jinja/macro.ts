/**
 * Macros: functions that a template defines.
 *
 * @module
 */

import { deeper } from "./limits.ts";
import { repr } from "./print.ts";
import { captured, type Expression, inner, type Scope, type Statement } from "./scope.ts";
import { dict, type Named, type Thing, tuple, undefinedValue, type Value } from "./values.ts";

/** Parameters and body of a macro or call block. */
export interface Signature {
  readonly parameters: readonly { readonly name: string; readonly value?: Expression }[];
  readonly body: Statement;
  /** Names read in the body. */
  readonly reads: ReadonlySet<string>;
}

/** A macro: a function of the names around it. */
export function macro(name: string | undefined, signature: Signature, scope: Scope): Thing {
  const { parameters, reads } = signature;
  /** Whether the body reads what a macro gets besides its parameters. */
  const takes = (special: string) =>
    reads.has(special) && !parameters.some((one) => one.name === special);
  const attributes: Readonly<Record<string, Value>> = {
    name: name ?? null,
    arguments: tuple(...parameters.map((one) => one.name)),
    catch_kwargs: reads.has("kwargs"),
    catch_varargs: reads.has("varargs"),
    caller: reads.has("caller"),
  };
  const bound = (args: readonly Value[], given: Named): Scope => {
    const own = inner(scope), named = new Map(given);
    for (const [i, { name, value }] of parameters.entries()) {
      const argument = i < args.length ? args[i] : named.get(name);
      if (i >= args.length) named.delete(name);
      const absent = () =>
        value ? value(own) : undefinedValue(`parameter '${name}' was not provided`);
      own.names.set(name, argument === undefined ? absent() : argument);
    }
    if (takes("caller")) {
      const caller = named.get("caller");
      own.names.set("caller", caller ?? undefinedValue("No caller defined"));
      named.delete("caller");
    }
    const [extra] = named.keys(), rest = args.slice(parameters.length);
    if (takes("kwargs")) own.names.set("kwargs", dict(named));
    else if (extra !== undefined) {
      throw new TypeError(`macro '${name}' takes no keyword argument '${extra}'`);
    }
    if (takes("varargs")) own.names.set("varargs", tuple(...rest));
    else if (rest.length > 0) {
      throw new TypeError(`macro '${name}' takes not more than ${parameters.length} argument(s)`);
    }
    return own;
  };
  return {
    kind: "thing",
    name: "Macro",
    text: () => `<Macro ${name === undefined ? "anonymous" : repr(name)}>`,
    get: (asked) => Object.hasOwn(attributes, asked) ? attributes[asked] : undefined,
    call: (args, named) => deeper(() => captured(signature.body, bound(args, named))[0]),
  };
}
