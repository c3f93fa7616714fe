/**
 * One protocol for models behind HTTP: OpenAI's completions, with flat fields for methods.
 *
 * @module
 */

export { fieldsOf, type FieldValue, methodOf } from "./method_fields.ts";
export { serverModel, type ServerModelOptions } from "./server_model.ts";
