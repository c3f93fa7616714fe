/**
 * One protocol for models behind HTTP: OpenAI's completions, with flat fields for methods.
 *
 * @module
 */

export { aboutOf, PATHS, type ProgramVersion, PROTOCOL, type ServerAbout } from "./about.ts";
export { type Handler, type HandlerOptions, openHandler } from "./handler.ts";
export { fieldsOf, type FieldValue, methodOf } from "./method_fields.ts";
export * from "./protocol.ts";
export { serve, type ServeOptions, type Server } from "./server.ts";
