/**
 * Open prompts, written for this project.
 *
 * @module
 */

/** The prompts, in the order of their ids. */
export const PROMPTS: readonly string[] = [
  "Tell me about your favourite season.",
  "Describe a walk through an old harbour town.",
  "Explain to a child why the sky is blue.",
  "Write a short story about a lost key.",
  "What makes a good friend?",
  "Describe how bread is baked.",
  "Why do people climb mountains?",
  "Write a letter to your future self.",
  "Explain how a bicycle stays upright.",
  "Describe a storm at sea.",
  "What would you do with a day without clocks?",
  "Tell a story about a cat that wanted to fly.",
  "Explain what a library is for.",
  "Describe the sound of a city at night.",
  "Why is sleep important?",
  "Write a short speech for a wedding.",
  "Describe a meal that reminds you of home.",
  "How does a river shape the land?",
  "Tell me about a brave deed.",
  "Explain how to learn a new language.",
  "Describe an empty theatre.",
  "Why do leaves fall in autumn?",
  "Write about a journey by train.",
  "What can we learn from ants?",
  "Describe a garden in spring.",
  "Explain how to tell the truth kindly.",
  "Tell a story about two rival bakers.",
  "Why do we laugh?",
  "Describe a winter morning in the mountains.",
  "How should a small town welcome strangers?",
  "Write about a clock that runs backwards.",
  "Explain what makes music sad or happy.",
  "Describe your ideal room to work in.",
  "What is the use of history?",
  "Tell a story that begins with a knock at the door.",
  "Explain how to repair a broken chair.",
  "Describe the smell of rain.",
  "Why do people keep diaries?",
  "Write about an island that nobody owns.",
  "How can a shy person make friends?",
];
