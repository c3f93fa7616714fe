/** Answers that mean the same, and answers that do not: `gold | answer`, one pair a line. */

export const SAME = String.raw`
# numbers
5 | 5.0
-5 | −5
1000 | 1,000
1234567 | 1,234,567
32349 | 32,\!349
14916 | 14{,}916
10000 | 10\,000
0.5 | .5
0.5 | \frac12
0.5 | \tfrac{1}{2}
0.5 | 1/2
\frac{3}{4} | \dfrac{3}{4}
\frac{3}{4} | \frac{6}{8}
\frac{-1}{2} | -\frac{1}{2}
-\frac{1}{2} | \frac{1}{-2}
1\frac{1}{2} | \frac{3}{2}
2\frac{3}{4} | 2.75
3.0\cdot 10^{4} | 30000
6.02\times 10^{3} | 6020
10^{-2} | 0.01
2^{10} | 1024
\frac{1}{3} | 0.333333333
5! | 120
\binom{5}{2} | 10
# surds, constants
\sqrt{8} | 2\sqrt{2}
\sqrt2 | \sqrt{2}
\frac{1}{\sqrt{2}} | \frac{\sqrt{2}}{2}
\sqrt[3]{27} | 3
\sqrt[3]{-8} | -2
\sqrt{12}+\sqrt{3} | 3\sqrt{3}
\sqrt{4+2\sqrt{3}} | 1+\sqrt{3}
2\pi | 2π
\frac{\pi}{4} | \frac{1}{4}\pi
\pi r^2 | r^2\pi
e^2 | e \cdot e
\ln(e^3) | 3
\log_2 8 | 3
\log_{10} 1000 | 3
\sin 30 | \sin(30)
\sin\frac{\pi}{6} | 0.5
\tan(\pi/4) | 1
3\sqrt{13} | 3 \cdot \sqrt{13}
√3 | \sqrt{3}
# complex
6 - 5i | -5i+6
(1+i)^2 | 2i
\frac{1}{i} | -i
3(\cos 0 + i \sin 0) | 3
# expressions
x^2-1 | (x-1)(x+1)
x^2+7x+10 | (x+2)(x+5)
p - q | -q + p
2(a+b) | 2a+2b
\frac{x+1}{x} | 1+\frac{1}{x}
\frac{\pi r}{h+r} | \frac{r\pi}{r+h}
x^{-1} | \frac{1}{x}
4x^2y | 4yx^2
\sin^2 x + \cos^2 x | 1
\sqrt{x^2y^2} | xy
e^{x+y} | e^x e^y
3^{2x} | 9^x
a_1 + a_2 | a_2 + a_1
(x-3)^2 | x^2-6x+9
# equations
x = 5 | 5
5 | x=5
y = 2x + 3 | 2x + 3
y = 2x + 3 | 2x - y + 3 = 0
x-2y+z-1=0 | -x+2y-z+1=0
f(x) = 3x | 3x
(x,y) = (1,2) | (1,2)
AB = 4 | 4
x = \frac{1}{3} \approx 0.33 | 1/3
5 = x | x = 5
k = 1, n = 2 | k=1 \text{ and } n=2
A:B = 2:3 | \frac{2}{3}
7:32 | 7/32
# inequalities and intervals
x > 2 | (2, \infty)
x \ge 2 | [2,\infty)
x < 2 | 2 > x
-2 \le x \le 7 | [-2, 7]
x \in [-2,7] | [-2,7]
-1 < x < 1 | (-1,1)
2x > 4 | 4x > 8
(-\infty, 2] | x \leq 2
(-\infty,-2]\cup(1,\infty) | (1,\infty) \cup (-\infty,-2]
\left[\frac{1}{2}, 1\right) | [0.5, 1)
\left( 3, \frac{\pi}{2} \right) | (3,\pi/2)
[0,1] \cup \{2\} | \{2\} \cup [0,1]
(-∞, 3) | (-\infty,3)
# sets, lists, tuples
\{1,2,3\} | \{3,2,1\}
\{1,2,3\} | 1,2,3
1, -2 | -2, 1
1, -2 | x = 1 \text{ or } x = -2
1,2 | 2 and 1
(1,2) | ( 1 , 2 )
(1,2),(3,4) | (3,4), (1,2)
(\frac{1}{2}, \sqrt{4}) | (0.5, 2)
1 \pm \sqrt{2} | 1+\sqrt{2}, 1-\sqrt{2}
\pm 3 | 3, -3
\{\pm 1, \pm 2\} | \{-2,-1,1,2\}
3, 5, 7 | 3; 5; 7
\{1, 1, 2\} | \{1, 2\}
# matrices
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} | \begin{bmatrix}1&2\\3&4\end{bmatrix}
\begin{pmatrix} -1/3 \\ 2/3 \end{pmatrix} | \begin{pmatrix} -\frac{1}{3} \\ \frac{2}{3} \end{pmatrix}
\begin{pmatrix}1 & 0 \\ 0 & 1\end{pmatrix} | \left[\begin{array}{cc}1 & 0 \\ 0 & 1\end{array}\right]
\begin{pmatrix} 1 \\ 2 \end{pmatrix} | (1,2)
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} + \begin{pmatrix} 1 & 1 \\ 1 & 1 \end{pmatrix} | \begin{pmatrix} 2 & 3 \\ 4 & 5 \end{pmatrix}
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} \begin{pmatrix} 0 & 1 \\ 1 & 0 \end{pmatrix} | \begin{pmatrix} 2 & 1 \\ 4 & 3 \end{pmatrix}
# percent, units, currency, degrees
50\% | 0.5
50\% | 50
28\% | 28 percent
12.5\% | 12.5
90^\circ | 90
45^{\circ} | 45°
\$32,348 | 32348
\$7.50 | 7.5
15\mbox{ cm}^2 | 15
6\text{ cm} | 6 cm
10 \text{ miles per hour} | 10
8\text{ hours} | 8
3 \text{ feet} | 3\text{ ft}
5 dollars | \$5
# bases
2516_8 | 2516_{8}
204_5 | 204_5
# texts and letters
\text{Evelyn} | Evelyn
\text{(C)} | C
\text{(C)} | \text{C}
\text{even} | Even
\text{ellipse} | an ellipse and so \boxed{\text{ellipse}}
\text{Monday} | \mathrm{Monday}
\text{navy} | \textbf{navy}
A | \text{A}
# where the answer stands
7 | The answer is 7.
7 | So we get \boxed{7}.
\frac{1}{2} | Therefore $x=\boxed{\frac{1}{2}}$, as wanted.
12 | First \boxed{11}. Wrong. It must be \boxed{12}.
\frac{\sqrt{3}}{2} | The final answer is $\frac{\sqrt{3}}{2}$. I hope it is correct.
34 | Final Answer: The largest $n$ is 34.
1, -2 | The integers are: \[ \boxed{-2} \quad \text{and} \quad \boxed{1}. \]
42 | **Answer:** 42
x^2+1 | $$x^2+1$$
100 | we need 100 of them
(7,6) | the ordered pair that solves it is $(7, 6)$.
\boxed{5} | 5
9 | \[ 9 \]
9 | \( 9 \)
120 | \boxed{120\text{ ways}}
3 | \boxed 3
`;

export const DIFFERENT = String.raw`
5 | 6
5 | -5
1000000 | 1000001
0.5 | 0.51
\frac{1}{3} | 0.33
\frac{1}{2} | 2
\sqrt{2} | 1.41
\sqrt{3} | \sqrt{2}
2\pi | 2
\pi | 3.14
x^2-1 | x^2+1
2x | 3x
x+y | x-y
x | y
e^x | e^y
\sin x | \cos x
6 - 5i | 6 + 5i
(1,2) | (2,1)
(1,2) | (1,2,3)
[0,1) | (0,1)
[0,1] | [0,1)
(-\infty,2] | (-\infty,2)
x > 2 | x \ge 2
x > 2 | x < 2
2x > 4 | -2x > -4
\{1,2\} | \{1,3\}
\{1,2\} | \{1,2,3\}
1, -2 | 1
1, -2 | 1, 2
\pm 3 | 3
1 \pm \sqrt{2} | 1 + \sqrt{2}
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} | \begin{pmatrix} 1 & 3 \\ 2 & 4 \end{pmatrix}
\begin{pmatrix} 1 \\ 2 \end{pmatrix} | (2,1)
2516_8 | 2516_9
2516_8 | 1358
50\% | 5
\text{Evelyn} | Carla
\text{(C)} | D
\text{even} | odd
y = 2x + 3 | y = 2x + 4
2x + z = 1 | 1
7 = 11a+c | 11a+c
x = 5 | x = 6
(-\infty,-2]\cup(1,\infty) | (-\infty,-2]
12 | \boxed{12} was wrong, so \boxed{13}
7 | The answer is 8, not 7 and 9
14{,}916 | 14,917
10^{-2} | 0.001
1\frac{1}{2} | \frac{1}{2}
\frac{x+1}{x} | \frac{x}{x+1}
\log_2 8 | 8
5! | 5
5 | \text{five}
 | 5
5 | 
`;
