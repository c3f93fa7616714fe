/**
 * One protocol for models behind HTTP: OpenAI's completions, with flat fields for methods.
 *
 * @module
 */

export { aboutOf, PATHS, type ProgramVersion, PROTOCOL, type ServerAbout } from "./about.ts";
export { fieldsOf, type FieldValue, methodOf } from "./method_fields.ts";
