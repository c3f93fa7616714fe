/** Which answer a text gives: letters, numbers and formulas, as models write them. */

import { assert, assertEquals } from "@std/assert";
import {
  gpqaDiamond,
  gsm8k,
  lastAnswer,
  lastBoxed,
  lastChoice,
  lastNumber,
  math500,
  mathAnswer,
  TASKS,
} from "../../lib/tasks/mod.ts";

/** The number that a text gives as its answer; null: none. */
const NUMBERS: readonly (readonly [text: string, answer: string | null])[] = [
  ["The answer is 20 apples after 3 days.", "20"],
  ["16-4", "4"],
  ["#### .5", "0.5"],
  ["#### \u22127", "-7"],
  ["The answer is \u22127.", "-7"],
  ["The answer is –5", "-5"],
  ["9{,}500", "9500"],
  ["The answer is 9{,}500", "9500"],
  ["9\\,500", "9500"],
  ["1\u2009000", "1000"],
  ["1\u00a0000", "1000"],
  ["1\u202f000", "1000"],
  ["1'000", "1000"],
  ["1’234’567", "1234567"],
  ["10 000", "10000"],
  ["3/4", "3/4"],
  ["\\frac{3}{4}", "3/4"],
  ["\\boxed{\\dfrac34}", "3/4"],
  ["1 1/4", "5/4"],
  ["\\boxed{-2\\frac13}", "-7/3"],
  ["½", "1/2"],
  ["1½", "3/2"],
  ["50%", "50"],
  ["\\boxed{50\\%}", "50"],
  ["$18", "18"],
  ["18 $", "18"],
  ["\\$18.00", "18"],
  ["€7.50", "7.50"],
  ["7.50 €", "7.50"],
  ["-$5", "-5"],
  ["$-5", "-5"],
  ["1.5e3", "1500"],
  ["1.5 \\times 10^{3}", "1500"],
  ["1.5×10^3", "1500"],
  ["It is 1.", "1"],
  ["x=-4", "-4"],
  ["x = - 4", "-4"],
  ["16 - 4", "4"],
  ["16 – 4", "4"],
  ["20 and 30", "30"],
  ["The answer is 20 and 30", null],
  ["The answer is 20 or 30.", null],
  ["at 5:30", null],
  ["He has 20 apples at 5:30", "20"],
  ["on 2024-01-05 he had 7", "7"],
  ["7 on 12/25/2024", "7"],
  ["١٢٣", "123"],
  ["１２", "12"],
  ["1,234", "1234"],
  ["1,23", "1.23"],
  ["1.234,56", "1234.56"],
  ["1,00,000", "100000"],
  ["0,5", "0.5"],
  ["(2,3)", "3"],
  ["The answer is 16 - 4 = 12.", "12"],
  ["The answer is 16-4.", "12"],
  ["\\boxed{x=-4}", "-4"],
  ["\\boxed{2^{10}}", null],
  ["\\boxed{5\\sqrt{2}}", null],
  ["\\boxed{20\\text{ apples}}", "20"],
  ["\\boxed{m+n = 104}", "104"],
  ["\\boxed{m=3, n=4}", null],
  ["#### Step 3: compute\nThe answer is 12", "12"],
  ["#### 18 dollars", "18"],
  ["So she sold 20 apples on the 3rd day.", "20"],
  ["The answer is $x = 5$.", "5"],
  ["**Final Answer**\n\n12 apples", "12"],
  ["Final answer: **12**", "12"],
  ["## Final Answer\n\\boxed{12}", "12"],
  ["<answer>12</answer> of 9", "12"],
  ["The answer is 12? Let me check. \\boxed{14}", "14"],
  ["the answer is 12... \\boxed{14}", "14"],
  ["<think>\\boxed{3}</think>So 4.", "4"],
  ["<think>\\boxed{3}", null],
  ["\\boxed{1} \\boxed{", null],
  ["The answer is not 5 but 6.", "6"],
  ["The answer is approximately 3.5 meters", "3.5"],
  ["The answer is that Janet makes $18 per day", "18"],
  ["The answer is therefore 1,000,000.", "1000000"],
  ["The answer is 20. Wait, no, it's 25.", "25"],
  ["minus 5", "-5"],
  ["negative 3", "-3"],
  ["16 minus 4", "4"],
  ["x^2", null],
  ["H2O", null],
  ["The answer is five", null],
  ["The answer is 1.5 million", "1500000"],
  ["USD 20", "20"],
  ["The total is Rs.20", "20"],
  ["20 USD", "20"],
  ["{-5}", "-5"],
  ["(-5)", "-5"],
  ["3.14.", "3.14"],
  ["5! ", "5"],
  ["5,", "5"],
  ["100,000.50", "100000.50"],
  ["The answer is \\(\\frac{3}{4}\\).", "3/4"],
  ["The answer is:\n\n\\[ 12 \\]", "12"],
  ["Answer: $12$ dollars", "12"],
  ["答案是5个", "5"],
  ["答案：12。", "12"],
  ["Antwort: 1.234,5 €", "1234.5"],
  ["The answer is 3-4 days", null],
  ["The answer to the question is 42.", "42"],
  ["The answers are 3 and 4.", null],
  ["\\boxed{12,\\!345}", "12345"],
  ["-1/2", "-1/2"],
  ["The answer is 0.333...", "0.333"],
  ["final answer is 7 days and 3 hours", null],
  ["**Answer: 18**", "18"],
  ["Janet makes **$18** every day at the farmers' market.", "18"],
  ["She makes $9 * 2 = $18 every day.", "18"],
  ["So the final answer is $\\boxed{18}$ dollars.", "18"],
  ["Final Answer: The final answer is $204$. I hope it is correct.", "204"],
  ["answer: 18/5=3.6", "3.6"],
  ["The answer is 1,000 dollars, or 1000.", "1000"],
  ["The answer is $1,000 + $500 = $1,500.", "1500"],
  ["Answer: 2 (two)", "2"],
  ["Answer: 7:30 PM", null],
  ["The answer is 12.5 cm^2", "12.5"],
  ["\\boxed{12.5 \\text{ cm}^2}", "12.5"],
  ["\\boxed{12\\,\\mathrm{cm}}", "12"],
  ["\\boxed{12\\ \\text{cm}}", "12"],
  ["\\boxed{\\$18}", "18"],
  ["\\boxed{\\text{18}}", "18"],
  ["\\boxed{073}", "73"],
  ["\\boxed{10 \\times 10^{-3}}", "0.01"],
  ["The answer is -\\frac{1}{2}", "-1/2"],
  ["\u2212½", "-1/2"],
  ["١٬٠٠٠", "1000"],
  ["The answer is ٣٫٥", "3.5"],
  ["1.234", "1.234"],
  ["The answer is definitely not 5.", null],
  ["The answer is $5 per hour × 3 hours = $15.", "15"],
  ["The answer: x = 3 or x = -3", null],
  ["The answer is 5 (not 6).", "5"],
  ["The answer is 12, since x = 3 gives 12", "12"],
  ["20 km/h", "20"],
  ["It takes 20 minutes (1/3 hour).", "1/3"],
  ["The answer is 6%.", "6"],
  ["The answer is 100 percent", "100"],
  ["There are 5 apples and 3 pears.", "3"],
  ["The answer is 7.0", "7"],
  ["#### 1,234.50", "1234.50"],
  ["#### -3/4", "-3/4"],
  ["####18", "18"],
  ["#### $1,234", "1234"],
  ["#### 5 apples", "5"],
  ["1) foo\n2) bar", null],
  ["Answer: 1) foo", "1"],
  ["The answer is 1 000 000.", "1000000"],
  ["The answer is 12,345,678", "12345678"],
  ["1,2,3", "3"],
  ["The answer is (3, 4)", null],
  ["\\boxed{(3,4)}", null],
  ["\\boxed{3,4}", "3.4"],
  ["The result is 42.", "42"],
  ["Result: 42 of 50", "50"],
  ["My final result: 42 of 50", "42"],
  ["The answer is about 3.14159...", "3.14159"],
  ["The answer is 3².", null],
  ["The answer is $2^3$.", null],
  ["The answer is 5:3", null],
  ["He was born in 1990-05-20.", null],
  ["The answer is ¥5,000", "5000"],
  ["The answer is 5 000 ₽", "5000"],
  ["The answer is +5", "5"],
  ["The answer is ±5", null],
  ["The answer is > 5", "5"],
  ["The answer is 5 or more", "5"],
  ["the answer is between 5 and 6", null],
  ["The answer is “5”.", "5"],
  ["The answer is `5`.", "5"],
  ["The answer is [5]", "5"],
  ["<answer>\\boxed{5}</answer>", "5"],
  ["<answer>The answer is 5.</answer>", "5"],
  ["<answer>5", null],
  ["I put it in <answer> tags. The answer is 5.", "5"],
  ["[THINK]\\boxed{3}[/THINK]4", "4"],
  [
    "<|channel|>analysis<|message|>3<|end|><|start|>assistant<|channel|>final<|message|>4<|return|>",
    "4",
  ],
  ["5<|im_end|>\n6", "5"],
  ["\\boxed{\\text{your answer}} 5", "5"],
  ["put it within \\boxed{}. So 7", "7"],
  ["\\boxed{5", null],
  ["\\boxed{\\frac{3}{4}", null],
  ["\\boxed{5}\n\n\\boxed", null],
  ["broken \\boxed{\\frac{1}{2}\n\nThe answer is 1/2.", "1/2"],
  ["Answer: 1/0", null],
  ["The answer is 1/3.", "1/3"],
  ["\\boxed{1\\frac{1}{4}}", "5/4"],
  ["\\boxed{-\\$5}", "-5"],
  ["x = \u22124", "-4"],
  ["-16-4", "4"],
  ["3 x 4 = 12", "12"],
  ["3x=12", "12"],
  ["2+2=4, not 5", "5"],
  ["\\frac{6}{3}", "2"],
  ["6/3", "2"],
  ["20%-30%", "30"],
  ["room B12", null],
  ["100m", "100"],
  ["£3.50", "3.50"],
  ["3,50 €", "3.50"],
  ["1.000.000", "1000000"],
  ["The answer is 1e-3", "0.001"],
  ["6.02 × 10²³", "602000000000000000000000"],
  ["\\boxed{10^3}", "1000"],
  ["The answer is 20 apples; 3 days later", "20"],
  ["-.5", "-0.5"],
  ["$.50", "0.50"],
  ["The answer is 5 and 1/2.", "11/2"],
  ["COVID-19", null],
  ["x-4", "4"],
  ["\\boxed{\\frac{1,000}{3}}", "1000/3"],
  ["\\boxed{\\frac{-3}{4}}", "-3/4"],
  ["\\\\boxed{5}", "5"],
  ["1\u2003000", "1000"],
  ["１，２３４", "1234"],
  ["#### The answer is 18", "18"],
  ["9\\;500", "9500"],
  ["9~500", "9500"],
  ["\\boxed{3 \\frac{1}{2}}", "7/2"],
  ["The answer is 18.\n\nLet me {know", "18"],
  ["3-(-4)", "-4"],
  ["x²-4", "4"],
  ["16 −4", "4"],
  ["The answer is $18/day.", "18"],
  ["The final answer is 18\\text{ dollars}", "18"],
  ["Thus, the total cost is $1,234.56.", "1234.56"],
  ["The answer is 1 234,56 €", "1234.56"],
  ["The answer is 25°", "25"],
  ["\\boxed{25^\\circ}", "25"],
  ["\\boxed{1011_2}", null],
  ["\\boxed{42_{10}}", "42"],
  ["\\boxed{\\approx 3.5}", "3.5"],
  ["The answer is ~20", "20"],
  ["The answer is ≈ 20", "20"],
  ["The answer is 5!", "5"],
  ["\\boxed{5!}", null],
  ["The answer is \\$5.", "5"],
  ["Answer: -12", "-12"],
  ["Answer - 12", "12"],
  ["Answer: – 12", "-12"],
  ["The answer is 2, which is 1 more than 1", "2"],
  ["The answer is 4 (2+2=4).", "4"],
  ["Answer = 7", "7"],
  ["7 is the answer, not 8", "7"],
  ["The answer is 20%, i.e. 0.2", "20"],
  ["So 5 dozen = 60", "60"],
  ["Therefore, there are 3 + 4 = 7 apples in 2 boxes", "2"],
  ["The answer is 3,000,000.00", "3000000"],
  ["The answer is 100 %", "100"],
  ["The answer is $3.50/lb", "3.50"],
  ["The answer is 1⁄2", "1/2"],
  ["The answer is ２／３", "2/3"],
  ["The answer is 2x.", null],
  ["The answer is 2π.", null],
  ["The answer is 2√3 cm.", null],
  ["The answer is **2x + 3**", null],
  ["**2x + 3**", null],
  ["2x + 3", null],
  ["The answer is 2x + 3", null],
  ["The answer is 5 - 2i", null],
  ["5 - 2i", null],
  ["The answer is 18n", null],
  ["18n", null],
  ["The answer is 2 + x", null],
  ["2 + x", null],
  ["#### 3y", null],
  ["#### 2x + 3", null],
  ["The answer is x + 2.", null],
  ["The answer is 5/x", null],
  ["The answer is 4xy.", null],
  ["The answer is 3(x + 1).", null],
  ["The answer is 2sqrt(3)", null],
  ["The answer is 3 + 2√5.", null],
  ["Final answer: 7π cm²", null],
  ["The answer is 2*x", null],
  ["The answer is x - 3 = 5", "5"],
  ["The answer is m + n = 25.", "25"],
  ["The answer is $5/hr", "5"],
  ["The answer is 2 x", null],
  ["The answer is 2ab", null],
  ["The answer is 3*(x+1)", null],
  ["The answer is 10 - x.", null],
  ["The answer is 2 times x", "2"],
  ["The answer is 12 (x = 3)", "12"],
  ["The answer is 12 h", "12"],
  ["The answer is 1 hour = 60 minutes.", "1"],
  ["The answer is π/2", null],
  ["The answer is 5m", "5"],
  ["The answer is 20 g", "20"],
  ["The answer is 3 - a small number", "3"],
  ["The answer is 5 x 3 = 15.", "15"],
  ["The answer is 60 minutes = 1 hour", "60"],
  ["The answer is 60 minutes = 1 hour.", "60"],
  ["The answer is 500 cents = 5 dollars", "500"],
  ["The answer is 5 * 12 = 60 minutes = 1 hour", "60"],
  ["The answer is 16 eggs - 4 eggs = 12 eggs", "12"],
  ["The answer is 5 weeks * 7 = 35 days", "35"],
];

/** The choice that a text makes of A to D; null: none. */
const CHOICES: readonly (readonly [text: string, answer: string | null])[] = [
  ["The answer is B. Option A fails as A is polar.", "B"],
  ["Answer: B\n\nOption D would need more energy.", "B"],
  ["The answer is I think B.", "B"],
  ["<think>so \\boxed{A}</think> Answer: B", "B"],
  ["A\nB\nC\nD", null],
  ["A. x\nB. y\nC. z\nD. w", null],
  ["(A) x (B) y (C) z (D) w", null],
  ["\\boxed{\\textbf{C}}", "C"],
  ["\\boxed{\\mathrm{C}}", "C"],
  ["\\boxed{\\mathrm{(C)}}", "C"],
  ["\\boxed{C_2H_4}", null],
  ["(C)", "C"],
  ["C)", "C"],
  ["**C**", "C"],
  ["C", "C"],
  ["c", "C"],
  ["\\boxed{\\text{C}}", "C"],
  ["\\boxed{C) 5 m}", "C"],
  ["The correct option is: C", "C"],
  ["So it's B, not A.", "B"],
  ["I'd go with D", "D"],
  ["Both A and B are wrong, so C", "C"],
  ["The answer is A. Wait, no: the answer is C.", "C"],
  ["The answer is A. Wait, no, it's C.", "C"],
  ["answer: b", "B"],
  ["\\boxed{b}", "B"],
  ["the answer is a good thing", null],
  ["The answer is A or B", null],
  ["The answer is either A or B.", null],
  ["The answer is A, B and C", null],
  ["\\boxed{A, B}", null],
  ["\\boxed{A} or \\boxed{B}", null],
  ["The answer is not A.", null],
  ["The answer is not A but C.", "C"],
  ["Ответ: В", null],
  ["Antwort: B", "B"],
  ["La respuesta es B.", "B"],
  ["答案是B", "B"],
  ["答案：C。", "C"],
  ["La réponse est D.", "D"],
  ["Ｂ", "B"],
  ["The answer is Ⓑ", "B"],
  ["𝐀nswer: 𝐁", "B"],
  ["B is correct.", "B"],
  ["Option B is the correct answer because A is polar.", "B"],
  ["\\boxed{B}, not \\boxed{A}", "B"],
  ["not \\boxed{A}", null],
  ["The answer is A because it is polar", "A"],
  ["The answer is A proton", null],
  ["The answer is B-DNA", null],
  ["The answer choices are A, B, C and D.", null],
  ["The answer is B. The other answer choices are A, C and D.", "B"],
  ["Answer B", "B"],
  ["Answer (B)", "B"],
  ["**Answer:** B", "B"],
  ["**Answer: B**", "B"],
  ["**Final Answer**\n\nB", "B"],
  ["### Final Answer: (C) 5 m", "C"],
  ["#### B", "B"],
  ["The answer is \\(\\boxed{B}\\).", "B"],
  ["The answer is $B$.", "B"],
  ["I'm not sure, maybe the answer is C.", "C"],
  ["I cannot decide between A and B.", null],
  ["The answer could be A or B", null],
  ["If the answer is A, then x. The answer is D.", "D"],
  ["If the answer is A, then x.", null],
  ["\\boxed{\\text{(C) because}}", "C"],
  ["\\boxed{AB}", null],
  ["\\boxed{A \\cap B}", null],
  ["\\boxed{C = 5}", null],
  ["Therefore, the correct answer is **(B)** because A, C are wrong", "B"],
  ["The best choice is D", "D"],
  ["A is wrong. B is wrong. C is wrong. D is right.", "D"],
  ["so the answer must be D", "D"],
  ["The answer is clearly (D).", "D"],
  ["The answer is option C.", "C"],
  ["The correct answer is option (C), since A", "C"],
  ['The answer is "C".', "C"],
  ["Answer: C. 5 m", "C"],
  ["Answer: C - 5 m", "C"],
  ["ANSWER: B", "B"],
  ["answer is A/B", null],
  ["The answer: A. No wait, B.", "B"],
  ["Neither A nor B is right, thus it must be D.", "D"],
  ["B) 5 m", "B"],
  ["A\nB\n", "B"],
  ["Answer = C", "C"],
  ["Answer → C", "C"],
  ["My final choice: C", "C"],
  ["The answer is A's reaction", null],
  ["\\boxed{\\textbf{(C)}\\ 5}", "C"],
  ["\\boxed{(C)}", "C"],
  ["$\\boxed{\\text{C. }5}$", "C"],
  ["I choose B because A is polar", "B"],
  ["The answer is I", null],
  ["", null],
  ["Answer: **(B)** – 5 m", "B"],
  ["The answer is **B) 5 m**", "B"],
  ["Correct answer: B", "B"],
  ["**Correct Option: C**", "C"],
  ["Option (B)", "B"],
  ["Option B", "B"],
  ["B is the most likely answer", "B"],
  ["(C) is correct.", "C"],
  ["I think it's C.", "C"],
  ["My answer: D", "D"],
  ["Let's go with option A.", "A"],
  ["The answer is (A), (B)", null],
  ["Choose B.", "B"],
  ["The best answer would be C, since A", "C"],
  ["The answer is most likely B", "B"],
  ["The answer is not B, it's C", "C"],
  ["the answer is definitely not A. It must be D.", "D"],
  ["The answer isn't B.", null],
  ["The answer is C, D is wrong.", "C"],
  ["The answer is A&B", null],
  ["I would answer B.", "B"],
  ["Answer A is wrong", null],
  ["Answer (A) is wrong, so (B).", "B"],
  ["The answer option B is correct", "B"],
  ["Is the answer B? No, the answer is C", "C"],
  ["Answer:\n\n(B) 5 m", "B"],
  ["Answer: [B]", "B"],
  ["Answer: {B}", "B"],
  ["ANSWER IS B", "B"],
  ["The answer is b.", "B"],
  ["The answer is A. B. C", "A"],
  ["A because B", null],
  ["Therefore, B is right and A is wrong.", "B"],
  ["We can eliminate A and C. Between B and D, D is better, so D.", "D"],
  ["The answer is E", null],
  ["\\boxed{E}", null],
  ["Answer: C₂H₄", null],
  ["Answer: C-14", null],
  ["Answer: A+", null],
  ["Answer: D-glucose", null],
  ["The correct answer is D.\nA: wrong\nB: wrong\nC: wrong", "D"],
  ["A: wrong\nB: right\nC: wrong\nD: wrong", null],
  ["$\\text{B}$", "B"],
  ["\\(B\\)", "B"],
  ["\\boxed{\\text{Option B}}", "B"],
  ["\\boxed{\\text{B: }5}", "B"],
  ["\\boxed{B\\text{ (5 m)}}", "B"],
  ["\\boxed{\\textbf{(B)}}", "B"],
  ["\\boxed{\\textbf{(B)}~5}", "B"],
  ["\\boxed{\\textrm{B}}", "B"],
  ["\\boxed{ B }", "B"],
  ["\\boxed{\\mathbf{B}.}", "B"],
  ["\\boxed{B^+}", null],
  ["\\boxed{B_1}", null],
  ["\\boxed{A+B}", null],
  ["\\boxed{D = 4}", null],
  ["\\fbox{B}", "B"],
  ["\\boxed B", "B"],
  ["The answer is:\n$$\\boxed{B}$$", "B"],
  ["The answer: B or C? I'd say B.", "B"],
  ["Maybe the answer is B. The answer is C.", "C"],
  ["the answer is A, but the answer is B", "B"],
  ["The answer is B since if the answer is A, then no.", "B"],
  ["Answer: I don't know", null],
  ["I cannot answer: A, B, C and D are all wrong.", null],
  ["None of A, B, C, D.", null],
  ["答案是 (C)", "C"],
  ["正确答案是A。", "A"],
  ["故选B。", null],
  ["Die richtige Antwort ist C.", "C"],
  ["La respuesta correcta es la B.", "B"],
  ["Правильный ответ: C", "C"],
  ["Ответ: A", "A"],
  ["Α", null],
  ["So the answer is B, right?", "B"],
  ["The answer must be either B or C; B is the better answer.", "B"],
  ["Answer: B (not D)", "B"],
  ["**B**. Option A fails", "B"],
  ["Higher energy. B.", "B"],
  ["The best fit: B", "B"],
  ["\\boxed{D > A}", null],
  ["\\boxed{A<B}", null],
  ["<B>", "B"],
  ["B is the answer. Option D would need more.", "B"],
  ["\\boxed{\\bf C}", "C"],
  ["\\boxed{A \\rightarrow B}", null],
  ["\\boxed{\\text{C2H4}}", null],
  ["\\boxed{\\ce{C2H4}}", null],
  ["\\boxed{\\mathrm{CO_2}}", null],
  ["\\boxed{\\mathrm{C}_2}", null],
  ["Options: A, B, C, D", null],
  ["(A) 1\n(B) 2\n(C) 3\n(D) 4", null],
  ["A) 1, B) 2, C) 3, D) 4", null],
  ["- A\n- B\n- C\n- D", null],
  ["* A: x\n* B: y", null],
  ["The options are A, B, C, and D.", null],
  ["Which of A, B, C or D?", null],
  ["The answer is (B)\n\n(A) is wrong. (C) is wrong. (D) is wrong.", "B"],
  ["So the correct option is (B) 5 m because (D) fails", "B"],
  ["The answer is B; see option D.", "B"],
  ["**The correct answer is: D) 5 m**", "D"],
  ["The final answer is $\\boxed{\\text{D}}$.", "D"],
  ["Final answer: \\(\\mathbf{D}\\)", "D"],
  ["I would say D is the answer", "D"],
  ["A is correct", "A"],
  ["a", "A"],
  ["I", null],
  ["The answer is A, I think.", "A"],
  ["I am going with B.", "B"],
  ["My choice is B", "B"],
  ["It has to be C!", "C"],
  ["B, because A is polar", null],
  ["B because A is polar", null],
  ["B - because", null],
  ["Thus option D is correct.", "D"],
  ["Option D is not correct.", null],
  ["Hence (B).", "B"],
  ["∴ B", "B"],
  ["=> B", "B"],
  ["Answer is B\nAnswer is C", "C"],
  ["The correct answer is B\n\nThe incorrect answers are A, C, D.", "B"],
  ["The answer is A... no wait, it's B.", "B"],
  ["The answer is A—no, B.", "B"],
  ["Answer: A\nCorrection: B", "B"],
  ["At first I thought A was the answer. But B is the answer.", "B"],
  ["\\boxed{A}. Hmm, actually \\boxed{B}", "B"],
  ["\\boxed{A}. Actually, the answer is B.", "B"],
  ["The answer is B cells", null],
  ["The answer is B cells.", null],
  ["The answer is C fibers", null],
  ["The answer is D orbitals", null],
  ["The answer is B because it is polar", "B"],
  ["The answer is B.", "B"],
  ["The answer is B)", "B"],
  ["The answer is B) cells", "B"],
  ["The answer is **B** cells", null],
  ["The answer is B with certainty", "B"],
  ["The answer is B though others are near", "B"],
  ["Therefore the answer is B according to the law", "B"],
  ["The answer is B here", "B"],
  ["The answer is D instead of C", "D"],
  ["Answer: B Mitochondria", "B"],
  ["So it's B cells", null],
  ["\\boxed{B cells}", null],
  ["The correct answer of the options A, B, C, D is B.", "B"],
  ["The correct answer from the options is D.", "D"],
  ["Final answer: C.\n\nQuestion: What is 2?\nA) 1\nB) 2\nC) 3\nD) 4\nAnswer: A", "C"],
  ["The answer is C.\n\nQ: What?\nA: The answer is A.", "C"],
  ["\\boxed{C}\n\nUser: and now?\nThe answer is A.", "C"],
  ["C\n\nQuestion: what?\nAnswer: A", "C"],
  ["Answer: C\n\n**Problem 2:** what?\nAnswer: A", "C"],
  ["Answer: C\nHuman: what?\nAnswer: A", "C"],
  ["Problem: what is it?\n\nSolution: think.\nAnswer: A", "A"],
  ["Let me say the task again.\nQuestion: what is it?\nAnswer: A", "A"],
  ["The right answer among A, B, C and D is B.", "B"],
  ["The best choice among these is C.", "C"],
  ["The answer, A, is right", "A"],
  ["The answer, C, is right.", "C"],
  ["The answer, C, is wrong.", null],
  ["It must be the second one, i.e. option B.", "B"],
  ["The answer is the second one, i.e. option B.", "B"],
  ["\\boxed{\\text{The answer is B}}", "B"],
  ["\\boxed{\\text{The answer is } B}", "B"],
];

/** The formula that a text gives as its answer; "": none. */
const FORMULAS: readonly (readonly [text: string, answer: string])[] = [
  ["<answer>\\frac{3}{4}</answer>", "\\frac{3}{4}"],
  ["So the probability is \\frac{3}{4}.", "\\frac{3}{4}"],
  ["\\boxed{\\boxed{5}}", "5"],
  ["\\boxed{1} \\boxed{", ""],
  ["<think>\\boxed{1}</think> \\boxed{2}", "2"],
  ["\\boxed{1} then \\boxed{2", ""],
  ["The answer is 2x+3 for all x", "2x+3"],
  ["The answer is $20$ after $3$ days.", "20"],
  ["x = \\frac{1}{2}", "x = \\frac{1}{2}"],
  ["Thus x = \\frac{1}{2}.", "x = \\frac{1}{2}"],
  ["The area is 2 \\sqrt{3} + 1 square units.", "2 \\sqrt{3} + 1"],
  ["\\fbox{7}", "7"],
  ["\\boxed 5", "5"],
  ["$\\boxed{x = \\boxed{5}}$", "x = {5}"],
  ["The answer is Evelyn.", "Evelyn"],
  ["The answer is \\text{Evelyn}.", "\\text{Evelyn}"],
  ["answer: (3, \\pi/2)", "(3, \\pi/2)"],
  ["The final answer is:\n\n\\[\n\\frac{1}{2}\n\\]", "\\frac{1}{2}"],
  ["**Answer:** $x^2$", "x^2"],
  ["The answer is the set of all $x$ such that $x>3$.", "x>3"],
  ["\\boxed{5}. Hence the answer is unique.", "5"],
  ["\\boxed{3} and \\boxed{4}", "3, 4"],
  ["It's a \\frac{1}{2} chance", "\\frac{1}{2}"],
  ["The answers are 1 and 2.", "1 and 2"],
  ["#### \\frac{1}{2}", "\\frac{1}{2}"],
  ["The answer is \\frac{3}{4", ""],
  ["no answer at all", "no answer at all"],
  ["", ""],
  ["Final answer: 7. (We used 3 steps.)", "7"],
  ["The answer is 16 - 4 = 12 apples.", "16 - 4 = 12"],
  ["The answer is $\\frac12$, i.e. $0.5$.", "\\frac12"],
  ["<answer>x = \\frac34</answer>", "x = \\frac34"],
  ["The probability equals \\dfrac{3}{4}, as wanted.", "\\dfrac{3}{4}"],
  ["So we get x = \\sqrt{2}.", "x = \\sqrt{2}"],
  ["Hence $x$ is $5$ or $6$.", "5, 6"],
  [
    "so \\boxed{\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}}",
    "\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}",
  ],
  ["The answer is \\frac{3}{4}.", "\\frac{3}{4}"],
  ["The probability is 3/4.", "3/4"],
  ["It is \\frac{3}{4} of the 8 apples.", "8"],
  ["The answer is x \\le 3.", "x \\le 3"],
  ["The answer is (-\\infty, 3].", "(-\\infty, 3]"],
  ["The answer is -\\frac{1}{2}.", "-\\frac{1}{2}"],
  ["The answer is 5 cm.", "5 cm"],
  ["The answer is 50\\%.", "50\\%"],
  ["The answer is \\$5.50.", "\\$5.50"],
  ["The answer is \\text{(C)}.", "\\text{(C)}"],
  ["Answer: (C)", "(C)"],
  ["Final answer: $\\{1, 2\\}$", "\\{1, 2\\}"],
  ["\\boxed{x=1} and \\boxed{y=2}", "x=1, y=2"],
  ["**Final Answer**\n\\[ \\boxed{\\frac{1}{2}} \\]", "\\frac{1}{2}"],
  ["\\boxed{\\text{The answer is } 42}", "42"],
  ["\\boxed{\\text{Answer: } 42}", "42"],
  ["\\boxed{\\text{Answer}: 42}", "42"],
  ["\\boxed{\\textbf{Answer: 42}}", "42"],
  ["\\boxed{\\text{The answer is }42\\text{.}}", "42"],
  ["\\boxed{\\text{The answer is 42.}}", "42"],
  ["\\boxed{\\text{The probability is } \\frac12}", "\\frac12"],
  ["\\boxed{\\text{The final answer is: } x^2}", "x^2"],
  ["\\boxed{\\mathrm{Answer: } \\sqrt{2}}", "\\sqrt{2}"],
  ["\\boxed{\\text{There is no solution}}", "\\text{There is no solution}"],
  ["so \\framebox{42}", "42"],
  ["\\boxed{\\text{x is even}}", "\\text{x is even}"],
  ["\\boxed{\\text{The graph is a circle}}", "\\text{The graph is a circle}"],
  ["\\boxed{\\text{Yes}}", "\\text{Yes}"],
  ["\\boxed{\\text{Alice: } 3, \\text{Bob: } 4}", "\\text{Alice: } 3, \\text{Bob: } 4"],
  ["\\boxed{\\text{Probability: } \\frac12}", "\\frac12"],
  ["\\boxed{\\text{So the answer is } 42}", "42"],
];

/** Every row of a table that is read otherwise. */
const misread = <T>(table: readonly (readonly [string, T])[], read: (text: string) => T) =>
  table.flatMap(([text, answer]) =>
    read(text) === answer ? [] : [{ text, is: read(text), answer }]
  );

Deno.test("numbers are read as they are meant", () => {
  assertEquals(misread(NUMBERS, lastNumber), []);
});

Deno.test("choices are read as they are meant", () => {
  assertEquals(misread(CHOICES, (text) => lastChoice(text)), []);
});

Deno.test("formulas are read as they are meant", () => {
  assertEquals(misread(FORMULAS, mathAnswer), []);
});

Deno.test("letters are those that a problem has; the pronoun I is none of ten", () => {
  const ten = "ABCDEFGHIJ";
  const texts: readonly [string, string | null][] = [
    ["The answer is I think B.", "B"],
    ["The answer is I.", "I"],
    ["I believe the answer is J", "J"],
    ["I am not sure.", null],
    ["\\boxed{I}", "I"],
    ["Answer: (I)", "I"],
  ];
  assertEquals(misread(texts, (text) => lastChoice(text, ten)), []);
  assertEquals(lastChoice("The answer is C.", "AB"), null);
});

Deno.test("thoughts say no answer, nor does what follows the end of a turn", () => {
  const pairs: readonly [open: string, close: string][] = [
    ["<think>", "</think>"],
    ["", "</think>"], // the template opened it
    ["<thinking>", "</thinking>"],
    ["[THINK]", "[/THINK]"],
    ["<seed:think>", "</seed:think>"],
    ["◁think▷", "◁/think▷"],
    ["<|begin_of_thought|>", "<|end_of_thought|>"],
    ["<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"],
  ];
  for (const [open, close] of pairs) {
    for (const thought of ["\\boxed{A}", "The answer is A.", "<answer>A</answer>", "A"]) {
      const text = `${open}${thought}\n${close}\n`;
      assertEquals(lastChoice(`${text}Answer: B<|im_end|>\nAnswer: C`), "B", text);
      assertEquals(lastChoice(`${text}`), null, text);
      if (open !== "") assertEquals(lastChoice(`${open}${thought}`), null, text);
    }
    assertEquals(lastNumber(`${open}\\boxed{1}${close}It is 2.`), "2");
    assertEquals(mathAnswer(`${open}\\boxed{1}${close}It is $x^2$.`), "x^2");
    assertEquals(lastBoxed(`${open}\\boxed{1}${close}`), null);
    assertEquals(lastAnswer(`${open}<answer>1</answer>${close}<answer>2</answer>`), "2");
  }
});

Deno.test("boxes are complete, and opened to the last", () => {
  const boxes: readonly [string, string | null][] = [
    ["\\boxed{\\boxed{5}}", "5"],
    ["\\boxed{\\boxed{\\boxed{5}}}", "5"],
    ["\\boxed{\\frac{1}{\\boxed{2}}}", "\\frac{1}{{2}}"],
    ["\\fbox{7}", "7"],
    ["\\boxed 5", "5"],
    ["\\boxed5", "5"],
    ["\\boxed {x}", "x"],
    ["\\boxed{\\{1, 2\\}}", "\\{1, 2\\}"],
    ["\\boxed{1} \\boxed{", null],
    ["\\boxed{1} \\boxed", null],
    ["\\boxed{1} \\boxed{\\frac{3}{4}", null],
    ["\\boxed{\\boxed{5}", null],
    ["\\boxed{5} within \\boxed{}", "5"],
    ["\\boxed{3} \\boxed{\\text{your answer}}", "3"],
    ["a brace too few: \\boxed{\\frac{1}{2}\n\nso \\boxed{3}", "3"],
    ["none", null],
  ];
  assertEquals(misread(boxes, lastBoxed), []);
});

/** A task on rows of one's own. */
async function problemsOf<T>(
  rows: readonly unknown[],
  make: (source: string) => { problems(): T[] | Promise<T[]> },
): Promise<T[]> {
  const source = await Deno.makeTempFile({ suffix: ".jsonl" });
  try {
    await Deno.writeTextFile(source, rows.map((row) => JSON.stringify(row)).join("\n"));
    return await make(source).problems();
  } finally {
    await Deno.remove(source);
  }
}

Deno.test("numbers are compared exactly", () => {
  const task = gsm8k({ source: "x.jsonl" });
  const grade = (answer: string, text: string) =>
    task.grade({ id: "0", question: "?", answer }, text).correct;
  const same: readonly [string, string][] = [
    ["0.75", "The answer is 3/4."],
    ["0.75", "\\boxed{\\frac{3}{4}}"],
    ["3/4", "#### .75"],
    ["1.25", "1 1/4"],
    ["50", "The answer is 50%."],
    ["0.5", "The answer is 50%."],
    ["1500000", "The answer is 1.5 million."],
    ["9007199254740993", "9,007,199,254,740,993"],
    ["-4", "x = −4"],
    ["0.1", "#### 0.10"],
  ];
  const different: readonly [string, string][] = [
    ["9007199254740992", "9007199254740993"],
    ["0.3333333333333333", "1/3"],
    ["0.1", "0.10000000000000000001"],
    ["-4", "16-4"],
    ["4", "x=-4"],
    ["3", "The answer is 20 apples after 3 days."],
    ["10", "\\boxed{2^{10}}"],
    ["5", "\\boxed{5\\sqrt{2}}"],
  ];
  assertEquals(same.filter(([gold, text]) => !grade(gold, text)), []);
  assertEquals(different.filter(([gold, text]) => grade(gold, text)), []);
});

Deno.test("a grade says what was taken, and why", () => {
  const task = gsm8k({ source: "x.jsonl" }), problem = { id: "0", question: "?", answer: "18" };
  const reasons: readonly [string, string][] = [
    ["The answer is 18.", 'final-answer statement: "18"; is 18'],
    ["\\boxed{20}", 'last box: "20"; is not 18'],
    ["<answer>18</answer>", 'answer tag: "18"; is 18'],
    ["9 * 2\n#### 18", "'####' line: \"18\"; is 18"],
    ["It is 20. Wait, no, it's 18.", 'correction: "18"; is 18'],
    ["9 and then 18", 'last number: "18"; is 18'],
    ["The answer is 18 or 20.", 'no one answer in final-answer statement: "18 or 20."'],
    ["\\boxed{18} \\boxed{", "no answer: the text ends within a box"],
    ["<answer>18", "no answer: the text ends within an answer tag"],
    ["The answer is \\(18", "no answer: the text ends within its final answer"],
    ["<think>18", "no answer found outside of thoughts"],
    ["", "no answer found"],
  ];
  for (const [text, reason] of reasons) assertEquals(task.grade(problem, text).reason, reason);
  const released = gsm8k({ source: "x.jsonl", grading: "released" });
  assertEquals(released.grade(problem, "<think>\\boxed{18}"), {
    ...{ correct: true, extracted: "18", reason: 'released rule: "18"; is 18' },
  });
  const math = math500({ source: "x.jsonl" });
  const half = { id: "0", question: "?", answer: "\\frac{1}{2}" };
  assertEquals(math.grade(half, "<answer>0.5</answer>"), {
    ...{ correct: true, extracted: "0.5", reason: 'answer tag: "0.5"; is \\frac{1}{2}' },
  });
  assertEquals(math.grade(half, "\\boxed{\\frac{1}{2}} or rather \\boxed{\\frac").correct, false);
});

Deno.test("a choice may be named by its text, where it is the text of one only", () => {
  const task = gpqaDiamond({ source: "x.jsonl" });
  const choices = { A: "5 m", B: "5 m/s", C: "C2H4", D: "Polar.", E: "$l^2$", F: "$L^2$" };
  const grade = (text: string, own: Record<string, string> = choices) =>
    task.grade({ id: "0", question: "?", choices: own, answer: "A" }, text);
  assertEquals(grade("\\boxed{5\\text{ m}}"), {
    correct: true,
    extracted: "A",
    reason: 'last box, the text of a choice: "A"; is A',
  });
  const texts: readonly [string, string | null][] = [
    ["The answer is 5 m/s.", "B"],
    ["\\boxed{C2H4}", "C"],
    ["Answer: polar", "D"],
    ["\\boxed{$l^2$}", "E"],
    ["\\boxed{L^2}", "F"],
    ["\\boxed{5}", null],
    ["\\boxed{C_2H_6}", null],
    ["\\boxed{B) 5 m}", "B"], // the letter was asked for
  ];
  assertEquals(misread(texts, (text) => grade(text).extracted), []);
  const cells = { A: "B cells", B: "T cells", C: "C fibers", D: "NK cells" };
  const named: readonly [string, string | null][] = [
    ["The final answer is **B cells**, not T cells.", "A"],
    ["The answer is B cells", "A"],
    ["The answer is B cells.", "A"],
    ["The answer is T cells, not B cells.", "B"],
    ["The answer is C fibers because they are slow.", "C"],
    ["The answer is the NK cells.", "D"],
    ["The answer is T cells.", "B"],
    ["\\boxed{B cells}", "A"],
    ["\\boxed{\\text{B cells}}", "A"],
    ["The answer is B", "B"],
    ["The answer is B.", "B"],
    ["The answer is B. T cells", "B"],
    ["The answer is B T cells", "B"],
    ["The answer is (A) B cells.", "A"],
    ["The answer is A: B cells, not T cells.", "A"],
    ["The answer is B because T cells do it.", "B"],
    ["The answer is B cells or T cells.", null],
    ["The answer is D cells", null],
    ["The answer is not B cells but T cells.", "B"],
    ["The answer is not T cells.", null],
    ["#### B cells", "A"],
    ["The answer is A (B cells)", "A"],
  ];
  assertEquals(misread(named, (text) => grade(text, cells).extracted), []);
  assertEquals(grade("\\boxed{1}", { A: "1", B: "1", C: "2" }).extracted, null);
  assertEquals(grade("\\boxed{c}", { A: "a", B: "c", C: "b" }).extracted, "B");
  assertEquals(grade("\\boxed{C}", { A: "a", B: "c", C: "b" }).extracted, "C");
});

Deno.test("answer columns of choices have one meaning, or are refused", async () => {
  const read = async (rows: readonly unknown[]) => {
    try {
      const found = await problemsOf(rows, (source) => gpqaDiamond({ source }));
      return found.map(({ answer }) => answer).join("");
    } catch (error) {
      assert(error instanceof TypeError && /must (have one meaning|be one of)/.test(error.message));
      return error.message.replace(/.*\((.*)\).*/, "$1");
    }
  };
  const words = ["w", "x", "y", "z"], numbers = ["1", "2", "3", "4"];
  const row = (answer: unknown, choices: unknown = words) => ({ question: "q", choices, answer });
  const layouts: readonly [rows: readonly unknown[], answers: string][] = [
    [[row("C")], "C"],
    [[row("c")], "C"],
    [[row("(C)"), row("D."), row("B)")], "CDB"],
    [[row("y")], "C"],
    [[row(2)], "C"], // numbers count from 0 …
    [[row(0), row(3)], "AD"],
    [[row(1), row(4)], "AD"], // … unless the file counts from 1
    [[row("0"), row("3")], "AD"],
    [[row("1"), row("4")], "AD"],
    [[row("2")], "it may be the index of C or B"],
    [[row(2, numbers)], "it may be the text of B, or the index of C"],
    [[row("2", numbers)], "it may be the text of B, or the index of C or B"],
    [[row(2, numbers), row(4, numbers)], "BD"], // from 1: index and text agree
    [[row("2", numbers), row("C")], "BC"], // a column of letters and texts has no index
    [[row("7", ["7", "8", "9", "6"])], "A"],
    [[row("B", ["B", "C"])], "it may be the letter B, or the text of A"],
    [[row("x", ["x", "x"])], "it may be the text of A and B"],
    [[row("B", { A: "x", B: "y" })], "B"],
    [[row(1, { A: "x", B: "y" }), row(0)], "BA"],
    [[row(2, [1, 2, 3, 4])], "it may be the text of B, or the index of C"],
  ];
  for (const [rows, answers] of layouts) {
    assertEquals(await read(rows), answers, JSON.stringify(rows));
  }
  for (const answer of ["v", "E", 5, -1, 1.5]) {
    const text = await read([row(answer)]);
    assert(text.includes("must be one of its choices"), text);
  }
  // a smaller limit reads the first rows as a larger one does
  const first = await problemsOf(
    [row(1), row(4)],
    (source) => gpqaDiamond({ source, limit: 1 }),
  );
  assertEquals(first.map(({ answer }) => answer), ["A"]);
});

Deno.test("tasks name the options that decide prompts and verdicts", () => {
  const source = "x.jsonl", system = "be brief";
  for (const name of ["gsm8k", "math500", "aime", "amc"]) {
    const { make } = TASKS[name]!;
    assertEquals(make({ source }).parameters, { prompt: "boxed", grading: "last" });
    assertEquals(make({ source, system, prompt: "paper", grading: "released" }).parameters, {
      ...{ prompt: "paper", grading: "released", system },
    });
  }
  assertEquals(TASKS.gpqaDiamond!.make({ source, seed: 2 }).parameters, {
    prompt: "boxed",
    seed: 2,
  });
  assertEquals(TASKS.addition!.make({}).parameters, { digits: "1,2,3,4", seed: 0 });
});

Deno.test("long and hostile texts are read in time proportional to their length", () => {
  const pieces = [
    ...["\\boxed{", "\\boxed{1}", "\\boxed{1} and ", "answer is ", "answer ", "answer to the "],
    ...["####", "#### 1\n", "$", "\\(", "{", "<answer>", "<think>", "</think>", "1 ", "1,", "11,"],
    ...["1-", "-", "A or ", "A\n", "(A) ", "so ", "no, it's ", "wait ", "\\frac{", "\\", "\n", " "],
    ...[
      "1'000 ",
      "1.000.",
      "no, 5   ",
      "Final answer\n\n",
      "so it's ",
      "x = ",
      "½",
      "a ",
      "A ",
      "1/7 is ",
    ],
  ];
  const readers = {
    lastNumber,
    lastChoice: (text: string) => lastChoice(text),
    mathAnswer,
    lastBoxed,
  };
  for (const piece of pieces) {
    for (const [before, after] of [["", ""], ["The answer is ", "x"], ["\\boxed{", "}"]]) {
      const text = before + piece.repeat(Math.ceil(60_000 / piece.length)) + after;
      for (const [name, read] of Object.entries(readers)) {
        const start = performance.now();
        read(text);
        const took = performance.now() - start;
        // milliseconds; quadratic time would be many seconds
        assert(took < 4000, `${name}: ${JSON.stringify(before + piece)} × n: ${took} ms`);
      }
    }
  }
});

Deno.test("a letter after e is no exponent, and no text throws", () => {
  for (const text of ["12e^2", "It is 12e^2.", "3eA5", "7e,5", "2e.5"]) lastNumber(text);
  assertEquals(lastNumber("The answer is 1.5e+3."), "1500");
  assertEquals(lastNumber("The answer is 1.5e\u22123."), "0.0015");
});
