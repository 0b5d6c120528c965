// One conversation of the Vercel AI SDK through LaiDian: a plain answer, a stream, a tool call with its result, an object.
//
//   node ai_sdk.mjs FOLDER PROVIDER BASE_URL MODEL        key in LAIDIAN_KEY
//
// FOLDER holds node_modules; PROVIDER is openai (Responses), chat, compatible, google or anthropic. Prints one JSON object.

import { createRequire } from "node:module";

const [folder, provider, baseURL, model] = process.argv.slice(2);
const require = createRequire(`${folder}/package.json`);
const { generateText, isStepCount, jsonSchema, Output, streamText, tool } = require("ai");

const apiKey = process.env.LAIDIAN_KEY;
const PROVIDERS = {
  openai: () => require("@ai-sdk/openai").createOpenAI({ baseURL, apiKey })(model),
  chat: () => require("@ai-sdk/openai").createOpenAI({ baseURL, apiKey }).chat(model),
  compatible: () =>
    require("@ai-sdk/openai-compatible").createOpenAICompatible({
      name: "laidian", baseURL, apiKey, supportsStructuredOutputs: true,
    })(model),
  google: () => require("@ai-sdk/google").createGoogleGenerativeAI({ baseURL, apiKey })(model),
  anthropic: () => require("@ai-sdk/anthropic").createAnthropic({ baseURL, apiKey })(model),
};

const common = { model: PROVIDERS[provider](), maxRetries: 0, maxOutputTokens: 2000 };
const weather = tool({
  description: "The weather of a city.",
  inputSchema: jsonSchema({ type: "object", properties: { city: { type: "string" } }, required: ["city"] }),
  execute: async ({ city }) => ({ city, celsius: 21 }),
});
const town = jsonSchema({
  type: "object",
  properties: { name: { type: "string" }, people: { type: "integer" } },
  required: ["name", "people"],
  additionalProperties: false,
});

const plain = await generateText({ ...common, system: "Be brief.", prompt: "[[say:plain]]" });

const stream = streamText({ ...common, prompt: "[[say:stream]]", onError: ({ error }) => { throw error; } });
let streamed = "";
for await (const text of stream.textStream) streamed += text;

const turns = await generateText({
  ...common, tools: { weather }, stopWhen: isStepCount(2), prompt: "the weather, please [[tools:2]]",
});

const shaped = await generateText({ ...common, output: Output.object({ schema: town }), prompt: "a town, in JSON" });

console.log(JSON.stringify({
  plain: plain.text,
  streamed,
  streamedUsage: await stream.usage,
  usage: plain.usage,
  finish: plain.finishReason,
  calls: turns.steps[0].toolCalls.map((call) => call.toolName),
  results: turns.steps[0].toolResults.map((result) => result.output),
  answer: turns.text,
  object: shaped.output,
}));
