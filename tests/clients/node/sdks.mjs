// One conversation of a provider's own SDK for JavaScript through LaiDian: a plain answer, a stream, tool calls with their results.
//
//   node sdks.mjs FOLDER NAME BASE_URL MODEL        key in LAIDIAN_KEY
//
// FOLDER holds node_modules; NAME is chat, responses, google or anthropic. Prints one JSON object.

import { createRequire } from "node:module";

const [folder, name, baseURL, model] = process.argv.slice(2);
const require = createRequire(`${folder}/package.json`);
const apiKey = process.env.LAIDIAN_KEY;
const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const ASK = "the weather in two towns [[tools:2]]";
const RESULT = JSON.stringify({ celsius: 21 });

async function chat() {
  const OpenAI = require("openai").default;
  const api = new OpenAI({ baseURL, apiKey, maxRetries: 0 }).chat.completions;
  const say = (content) => [{ role: "user", content }];
  const plain = await api.create({ model, messages: say("[[say:plain]]") });
  let streamed = "";
  for await (const chunk of await api.create({ model, messages: say("[[say:stream]]"), stream: true })) {
    streamed += chunk.choices[0].delta.content ?? "";
  }
  const tools = [{ type: "function", function: { name: "weather", parameters: schema } }];
  const called = (await api.stream({ model, messages: say(ASK), tools }).finalChatCompletion()).choices[0].message;
  const results = called.tool_calls.map((call) => ({ role: "tool", tool_call_id: call.id, content: RESULT }));
  const { parsed, ...said } = called;
  const answer = await api.create({ model, messages: [...say(ASK), said, ...results], tools });
  return {
    plain: plain.choices[0].message.content,
    streamed,
    calls: called.tool_calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)]),
    answer: answer.choices[0].message.content,
    usage: [answer.usage.prompt_tokens, answer.usage.completion_tokens],
  };
}

async function responses() {
  const OpenAI = require("openai").default;
  const api = new OpenAI({ baseURL, apiKey, maxRetries: 0 }).responses;
  const plain = await api.create({ model, input: "[[say:plain]]" });
  let streamed = "";
  for await (const event of await api.create({ model, input: "[[say:stream]]", stream: true })) {
    if (event.type === "response.output_text.delta") streamed += event.delta;
  }
  const tools = [{ type: "function", name: "weather", parameters: schema, strict: false }];
  const question = [{ role: "user", content: ASK }];
  const called = await api.stream({ model, input: question, tools, store: false }).finalResponse();
  const calls = called.output.filter((item) => item.type === "function_call");
  const results = calls.map((call) => ({ type: "function_call_output", call_id: call.call_id, output: RESULT }));
  const said = called.output.map(({ parsed_arguments, ...item }) => item);
  const answer = await api.create({ model, input: [...question, ...said, ...results], tools, store: false });
  return {
    plain: plain.output_text,
    streamed,
    calls: calls.map((call) => [call.name, JSON.parse(call.arguments)]),
    answer: answer.output_text,
    usage: [answer.usage.input_tokens, answer.usage.output_tokens],
  };
}

async function google() {
  const { GoogleGenAI } = require("@google/genai");
  const api = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: baseURL } }).models;
  const plain = await api.generateContent({ model, contents: "[[say:plain]]" });
  let streamed = "";
  for await (const chunk of await api.generateContentStream({ model, contents: "[[say:stream]]" })) {
    streamed += chunk.text ?? "";
  }
  const config = { tools: [{ functionDeclarations: [{ name: "weather", parametersJsonSchema: schema }] }] };
  const question = { role: "user", parts: [{ text: ASK }] };
  const parts = [];
  for await (const chunk of await api.generateContentStream({ model, contents: [question], config })) {
    parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []).filter((part) => part.functionCall));
  }
  const results = parts.map(({ functionCall: { id, name } }) => ({
    functionResponse: { id, name, response: { output: RESULT } },
  }));
  const contents = [question, { role: "model", parts }, { role: "user", parts: results }];
  const answer = await api.generateContent({ model, contents, config });
  return {
    plain: plain.text,
    streamed,
    calls: parts.map(({ functionCall }) => [functionCall.name, functionCall.args]),
    answer: answer.text,
    usage: [answer.usageMetadata.promptTokenCount, answer.usageMetadata.candidatesTokenCount],
  };
}

async function anthropic() {
  const Anthropic = require("@anthropic-ai/sdk").default;
  const api = new Anthropic({ baseURL, apiKey, maxRetries: 0 }).messages;
  const common = { model, max_tokens: 2000 };
  const say = (content) => [{ role: "user", content }];
  const text = (message) => message.content.map((block) => block.text ?? "").join("");
  const plain = await api.create({ ...common, messages: say("[[say:plain]]") });
  let streamed = "";
  for await (const event of await api.create({ ...common, messages: say("[[say:stream]]"), stream: true })) {
    if (event.type === "content_block_delta") streamed += event.delta.text ?? "";
  }
  const tools = [{ name: "weather", input_schema: schema }];
  const called = await api.stream({ ...common, messages: say(ASK), tools }).finalMessage();
  const calls = called.content.filter((block) => block.type === "tool_use");
  const results = calls.map((call) => ({ type: "tool_result", tool_use_id: call.id, content: RESULT }));
  const messages = [...say(ASK), { role: "assistant", content: called.content }, { role: "user", content: results }];
  const answer = await api.create({ ...common, messages, tools });
  return {
    plain: text(plain),
    streamed,
    calls: calls.map((call) => [call.name, call.input]),
    answer: text(answer),
    usage: [answer.usage.input_tokens, answer.usage.output_tokens],
  };
}

console.log(JSON.stringify(await { chat, responses, google, anthropic }[name]()));
