/**
 * One protocol for models behind HTTP: OpenAI's completions, with flat fields for methods.
 *
 * `protocol.ts` has it in words. {@linkcode serve} answers it with a model that decodes here, over a batch that
 * requests join while it runs ({@linkcode openHandler} without a port); {@linkcode serverModel} is a model that asks
 * it of a server, this one, vLLM with its plugin (`scripts/vllm`) or, for standard decoding, any of OpenAI's
 * kind. Both read methods by {@linkcode methodOf} and write them by {@linkcode fieldsOf}.
 *
 * @module
 */

export { aboutOf, PATHS, type ProgramVersion, PROTOCOL, type ServerAbout } from "./about.ts";
export { type Handler, type HandlerOptions, openHandler } from "./handler.ts";
export { fieldsOf, type FieldValue, methodOf } from "./method_fields.ts";
export * from "./protocol.ts";
export { serve, type ServeOptions, type Server } from "./server.ts";
export { serverModel, type ServerModelOptions } from "./server_model.ts";
