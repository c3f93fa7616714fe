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
## exact numbers of any size, surds, constants
5^{2023}-5^{2022} | 4\cdot 5^{2022}
2^{1000000} | 4^{500000}
9^{9^{9^9}} | 9^{9^{9^9}}
5^{10^9}-5^{10^9-1} | 4\cdot 5^{10^9-1}
10000000! | 10000000!
2\cdot 10000000! | 10000000!\cdot 2
\frac{100!}{98!} | 9900
\binom{100}{50} | \frac{100!}{50!\cdot 50!}
\sqrt{8} | 2\sqrt2
\frac{1}{\sqrt2} | \frac{\sqrt2}{2}
\sqrt{3+2\sqrt2} | 1+\sqrt2
\sqrt{2}+\sqrt{3} | \sqrt{5+2\sqrt6}
\frac{1+\sqrt5}{2} | \frac{2}{\sqrt5-1}
\sqrt[3]{2+\sqrt5}+\sqrt[3]{2-\sqrt5} | 1
\sqrt{10^{1000}\cdot 2} | 10^{500}\sqrt2
\sqrt{2^{2021}} | 2^{1010}\sqrt2
\frac{\sqrt[3]{4}}{2} | \frac{1}{\sqrt[3]{2}}
\tan^{-1} 1 | \frac{\pi}{4}
e^{i\pi} | -1
(1+i)^{10} | 32i
\ln 8 | 3\ln 2
1e-15 | 10^{-15}
\lfloor \pi \rfloor | 3
\gcd(12,18) | 6
\max(1,2) | 2
2^10 | 1024
2*pi | 2\pi
\frac{9}{19} | \frac9{19}
\frac{1}{2}+\frac{1}{3} | \frac{5}{6}
\sqrt{-4} | 2i
-\frac{1}{2} | \frac{-1}{2}
+5 | 5
\frac{5^{2023}-5^{2022}}{4} | 5^{2022}
2^{100} | 1267650600228229401496703205376
20! | 2432902008176640000
\frac{2024!}{2023!} | 2024
\frac{3000!}{2999!} | 3000
-\sqrt3 | -3^{1/2}
8^{2/3} | 4
8^{\frac{2}{3}} | 4
\sqrt{-1} | i
\log 100 | 2
\log_{2}{8} | 3
e^{\ln 3} | 3
\exp(1) | e
\sqrt[4]{16} | 2
\left(\frac{1}{2}\right)^{10} | \frac{1}{1024}
1 - \left(\frac{5}{6}\right)^{10} | \frac{6^{10}-5^{10}}{6^{10}}
\frac{10^{100}-1}{9} | 1111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111
2^{2^{10}} | 2^{1024}
\frac{\binom{10}{3}}{2^{10}} | \frac{15}{128}
\frac{\pi}{2}+1 | 1+\pi/2
i^2 | -1
\frac{2}{1+i} | 1-i
|3+4i| | 5
## mixed numbers, separators, spellings
1 1/4 | 5/4
1 1/4 | 1.25
-2\frac13 | -\frac73
-2\frac{1}{3} | -7/3
-1 1/2 | -\frac{3}{2}
\arctan 1 | \pi/4
\sin^{-1}\frac12 | \frac{\pi}{6}
e^{i\pi/3} | \frac12+\frac{\sqrt3}{2}i
\log_4 8 | 1.5
\log_2 3 | \frac{\ln 3}{\ln 2}
0.\overline{3} | \frac13
0.1\overline{6} | \frac16
0.333333 | \frac13
0.666667 | \frac23
123456789012345678901234567890 | 123,456,789,012,345,678,901,234,567,890
1 000 000 | 1000000
12\,345 | 12345
9{,}500 | 9500
2**10 | 1024
sqrt(2)/2 | \frac{\sqrt2}{2}
pi/4 | \frac{\pi}{4}
\frac{3+4i}{5} | \frac35+\frac45i
\frac{-3}{-4} | \frac34
5. | 5
00012 | 12
1{,}234{,}567.5 | 1234567.5
0.\overline{142857} | \frac17
0.\dot{3} | \frac13
0.3333\ldots | \frac13
\textbf{5} | 5
\mathbf{12} | 12
\color{red}{5} | 5
\frac{1}{2}, \frac{1}{3} | \frac13,\frac12
\frac{\frac{1}{2}}{3} | \frac16
1.5 | 1\frac12
1.5 | 1 1/2
137\frac12 | 137.5
36 | 36.00
## decimals
0.(3) | 1/3
3.14159 | \pi
3.14159265 | \pi
1.41421356 | \sqrt2
1.0471975512 | \frac{\pi}{3}
1.5e10 | 1.5\times 10^{10}
6.02214 \times 10^{23} | 602214000000000000000000
\lfloor 3.7 \rfloor | 3
5.000 | 5
\frac{10}{4} | 2.5
0.2727\ldots | \frac{3}{11}
3.0 \times 10^8 | 300000000
\approx 3.14 | 3.14
2^{-3} | 0.125
1.5 | 1 \frac{1}{2}
1.5 | \frac{3}{2}
9.9999999\times10^{5} | 999999.99
\overline{3} | \overline{3}
## names: polynomials, quotients, functions
\binom{n}{2} | \frac{n(n-1)}{2}
\ln\frac{a}{b} | \ln a-\ln b
x^2-y^2 | (x-y)(x+y)
(x+1)^{100} | (1+x)^{100}
(x+y)^3 | x^3+3x^2y+3xy^2+y^3
\frac{x^2-1}{x-1} | x+1
x^{10}-1 | (x^5-1)(x^5+1)
\langle 1,2,3\rangle | (1,2,3)
|x-2| | |2-x|
(-1)^n | (-1)^{n}
2^{n+1} | 2\cdot 2^n
n(n+1)/2 | \frac{n^2+n}{2}
x_1+x_2 | x_2 + x_1
a_{n+1} | a_{1+n}
2\text{cis}\frac{\pi}{2} | 2i
x^{1/3} | \sqrt[3]{x}
3x² | 3x^2
\frac{a}{b} | a/b
\frac{1}{x}+\frac1y | \frac{x+y}{xy}
\sin 2x | 2\sin x\cos x
\cos 2\theta | 1-2\sin^2\theta
\tan x | \frac{\sin x}{\cos x}
\ln(x^2) | 2\ln x
\sqrt{a}\sqrt{b} | \sqrt{ab}
e^{2\ln x} | x^2
x\sqrt{x} | x^{3/2}
\binom{n}{3} | \frac{n(n-1)(n-2)}{6}
n! | n!
(n+1)! | (1+n)!
\frac{dy}{dx} | \frac{dy}{dx}
\phi | \phi
## equations and definitions
x=3 | 3=x
2x=6 | x=3
f(x)=x^2 | x^2
f(x)=x^2 | y=x^2
(x+1)(x-1)=0 | x^2-1=0
y-2=3(x-1) | y=3x-1
x^2+y^2=25 | x^2+y^2-25=0
\frac{x^2}{4}+\frac{y^2}{9}=1 | 9x^2+4y^2=36
=5 | 5
y = \frac{1}{2}x - 3 | x-2y=6
\sum_{k=1}^{n} k | \sum_{k = 1}^n k
## assignments, lists, sets, tuples
\varnothing | \{ \}
x=1,y=2 | y=2,x=1
x=1,y=2 | (1,2)
(x,y)=(1,2) | x=1,y=2
(x,y)=(1,2) | x=1 \text{ and } y=2
(x,y)=(1,2) | (1,2)
(y,x)=(2,1) | (x,y)=(1,2)
y=3,x=2 | (2,3)
x=1, x=2 | x=2, x=1
x=1, x=2 | \{1,2\}
x=1 or x=2 | 2,1
x=\pm 2 | x=2,x=-2
(\pm 3, 0) | (3,0),(-3,0)
a \pm b | a+b, a-b
\left\{1,2\right\} | \{2,1\}
\{1,1,2\} | \{1,2\}
x=2\text{ or }x=3 | \{2,3\}
x\in\{2,3\} | 2,3
(x,y)=(1,2),(3,4) | (1,2),(3,4)
(x,y)=(1,2),(3,4) | x=1,y=2 \text{ or } x=3,y=4
(x,y) \in \{(1,2),(3,4)\} | (3,4),(1,2)
\begin{cases}x=1\\y=2\end{cases} | (1,2)
\begin{cases} x = 1 \\ y = 2 \end{cases} | x=1, y=2
a=1,b=2,c=3 | (a,b,c)=(1,2,3)
2,3,\text{ and }5 | 5,3,2
x=2,-3 | x=-3,2
-1,0,1 | \{-1,0,1\}
\{-1,0,1\} | 1,0,-1
\{(1,2),(3,4)\} | (1,2),(3,4)
## sets of real numbers
\emptyset | \{\}
∅ | \emptyset
\mathbb{R} | (-\infty,\infty)
x \in \mathbb{R} | (-\infty,+\infty)
x\ne0 | (-\infty,0)\cup(0,\infty)
x \neq 0 | \mathbb{R}\setminus\{0\}
\mathbb{R} \backslash \{0\} | (-\infty,0)\cup(0,\infty)
\mathbb{R} - \{1, 2\} | (-\infty,1)\cup(1,2)\cup(2,\infty)
\text{all real numbers} | \mathbb{R}
\text{no solution} | \emptyset
[0,1]\cup[1,2] | [0,2]
[0,3) \cap (1,5] | (1,3)
\{x \mid x > 2\} | (2,\infty)
\{x : x \ge 2\} | [2,\infty)
\{x \in \mathbb{R} \mid x \neq 3\} | (-\infty,3)\cup(3,\infty)
x<0 \text{ or } x>2 | (-\infty,0)\cup(2,\infty)
x>1 \text{ and } x<3 | (1,3)
x<-2 or x>1 | (-\infty,-2)\cup(1,\infty)
|x|<3 | (-3,3)
|x| \le 3 | [-3,3]
|x|>3 | (-\infty,-3)\cup(3,\infty)
2x+1>5 | x>2
3-x \ge 1 | x\le 2
2x > 4 | (2,\infty)
-3 < 2x+1 < 7 | (-2,3)
x\ne 1, x\ne 2 | (-\infty,1)\cup(1,2)\cup(2,\infty)
]1,2[ | (1,2)
[1,2[ | [1,2)
\{1,2\}\cup\{3\} | \{1,2,3\}
x \geqslant 1 | [1,\infty)
1 \le x < 2 | [1,2)
2 > x \ge 1 | [1,2)
(1,2)\cup(2,3) | (2,3)\cup(1,2)
k\in(-\infty,2) | k<2
a>0 | (0,\infty)
0<x | x>0
x > -\infty | \mathbb{R}
x \leq -1 \cup x \geq 3 | (-\infty,-1]\cup[3,\infty)
x\in(-\infty,-1]\cup[3,\infty) | x\le-1 \text{ or } x\ge 3
x\ne\pm1 | \mathbb{R}\setminus\{-1,1\}
x\ne \pm 1 | x\ne 1, x\ne -1
|x|\ne 2 | x\ne\pm2
1\le x<\infty | [1,\infty)
(2,\infty) | x > 2
(0, 1) \cup (1, 2) | 0 < x < 2, x \ne 1
A \cup B | A\cup B
\infty | +\infty
-\infty | - \infty
## matrices and vectors
\frac{1}{2}\begin{pmatrix}2\\4\end{pmatrix} | \begin{pmatrix}1\\2\end{pmatrix}
\begin{pmatrix}1&2\\3&4\end{pmatrix} | \begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}
[[1,2],[3,4]] | \begin{pmatrix}1&2\\3&4\end{pmatrix}
[[0]] | \begin{pmatrix}0\end{pmatrix}
## units, percent, degrees, money
\cos 60^\circ | \frac12
\sin 30^\circ | 0.5
\cos(30^\circ+30^\circ) | 1/2
33.3333\% | \frac13
0.125 | 12.5\%
\$1,000.50 | 1000.5
6\text{ cm} | 6 \text{ centimeters}
15\text{ cm}^2 | 15 \text{ square centimeters}
15\text{ cm}^2 | 15
5 apples | 5
120\text{ ways} | 120
60^\circ | 60 degrees
60 | 60^\circ
7\frac{1}{2}\% | 7.5\%
5\text{ km} | 5\ \mathrm{km}
\frac{\pi}{2} \text{ radians} | \frac{\pi}{2}
\frac{\sqrt6-\sqrt2}{4} | \sin 15^\circ
60^\circ | \frac{\pi}{3}
\angle ABC = 60^\circ | 60
\text{Area}=5 | 5
\text{Area} = 12\text{ cm}^2 | 12
x = 5\text{ cm} | 5
\$36 | 36
\frac12 \text{ hour} | 0.5
10\text{ m/s} | 10
2\sqrt{3}\text{ cm} | \sqrt{12}
## times, ratios, congruences
3:30 | 03:30
3:30 \text{ p.m.} | 3:30
1:2:3 | 2:4:6
2:3 | 4:6
2:3 | \frac23
5:00 \text{ PM} | 5:00 p.m.
17:00 | 5:00 \text{ p.m.}
n\equiv 3\pmod{5} | n \equiv 8 \pmod 5
x\equiv -2\pmod 5 | x\equiv 3 \pmod{5}
## bases
101_2 | 101_{2}
1A_{16} | \text{1A}_{16}
## texts and letters
\text{A} | A
(A) | \text{(A)}
P(A)=\frac12 | 0.5
## commas, and what ± stands for
100,200 | 100, 200
1,000, 2,000 | 1000, 2000
1,000 | 1000
-1,000 | -1000
1,234,567.5 | 1234567.5
x=1,000 | 1000
\$1,000 | 1000
1,000\text{ cm} | 1000
\frac{1,000}{3} | \frac{1000}{3}
(-11,240) | -11 < x < 240
(x+1,240) | (1+x,240)
1,2,3 | 3,2,1
1,000\pi | 1000\pi
\{\{1\},\{1,2\}\} | \{\{2,1\},\{1\}\}
(\pm 1,\pm 2) | (1,2),(1,-2),(-1,2),(-1,-2)
x=\frac{-1\pm\sqrt{13}}{4} | \frac{-1+\sqrt{13}}{4},\frac{-1-\sqrt{13}}{4}
x=\pm 2 \text{ or } x=0 | 0,2,-2
x = \pm 1, \pm 2 | 1,-1,2,-2
x>2, x \in \mathbb{R} | x>2
x \in (1,2) \text{ or } x \in (3,4) | (1,2)\cup(3,4)
\{1,2\} \cup [3,4] | [3,4]\cup\{2,1\}
\frac{1}{74294165735447043155055706017263497310088556206386092842306094893149402762853}x | \frac{1}{74294165735447043155055706017263497310088556206386092842306094893149402762853}x
3:1 | 3
-0 | 0
2^{-2021} | \frac{1}{2^{2021}}
1 1/4 \text{ cups} | 1.25
x=1, y=\pm 2 | (1,2),(1,-2)
x = \pm 1 | 1, -1
x = \pm 1 | x=1,x=-1
## units and factors
5 m | 5
5 cm | 5cm
5 cats | 5
3 1/2 h | 3.5
k\text{ ways} | k
1000.99 | $1,000.99m²$
12\text{ cm}^2 | $12cm²$
2\sqrt3\text{ cm} | 2\sqrt{3}
10 miles per hour | 10 mph
10\text{ mph} | 10\text{ miles per hour}
1,000 m | 1000 m
12 dollars | \$12
100 square feet | 100\text{ ft}^2
8\text{ hours} | 8 hours
\frac{1}{2}\text{ in} | 0.5
0.06\text{ yuan} | 0.06
16\pi\text{ cm}^3 | 16\pi
## more of each kind
x = 3, y = 4 | \begin{cases} x=3 \\ y=4 \end{cases}
\left\{-1, 0, 1\right\} | \{ 0, 1, -1 \}
(-\infty, -1) \cup (-1, \infty) | x \neq -1
(-\infty, -1) \cup (-1, \infty) | \mathbb{R} \setminus \{ -1 \}
(-\infty, \infty) | \text{all real numbers}
\mathbb{R} | (-\infty, +\infty)
\mathbb R | (-\infty, \infty)
\R | \mathbb{R}
x\in\emptyset | \emptyset
\{ \} | \varnothing
\left(-\infty, 0\right) \cup \left(0, \infty\right) | x \not= 0
x \ne 0 | x<0 \text{ or } x>0
\{x\in\mathbb{R} : x\ne0\} | (-\infty,0)\cup(0,\infty)
\mathbb{R}\setminus\{0\} | \mathbb{R} \backslash \{0\}
\mathbb{R}\setminus[0,1] | (-\infty,0)\cup(1,\infty)
x^2 > 4 | x^2>4
a = 1, b = 2 | b = 2, a = 1
a=1, b=2 | a = 1 \text{ and } b = 2
(a,b) = (1,2) | a=1, b=2
m=3,n=4 | (3,4)
\frac{1}{3} | .333333333
3 + \frac{1}{4} | 3\frac14
3\frac{1}{4} | 3.25
-3\frac{1}{4} | -3.25
-3 1/4 | -3.25
7 3/8 | \frac{59}{8}
2\dfrac{3}{5} | \frac{13}{5}
5^{100} - 5^{99} | 4 \times 5^{99}
3^{1001} - 3^{1000} | 2\cdot3^{1000}
2^{50}+2^{50} | 2^{51}
\frac{2^{2021}}{2^{2020}} | 2
\frac{2^{10^9+1}}{2^{10^9}} | 2
(2^{2021})^2 | 2^{4042}
\frac{101!}{100!} | 101
100!\cdot 101 | 101!
10^{-15} | 0.000000000000001
10^{-15} | \frac{1}{10^{15}}
1 \times 10^{-15} | 10^{-15}
1000000007 | 1{,}000{,}000{,}007
10^9+7 | 1000000007
12345678.5 | \frac{24691357}{2}
12345678\frac12 | 12345678.5
99^{99^{2}} | 99^{9801}
2^{2^{2^{2}}} | 65536
e^{10} | e^5\cdot e^5
2^{0.5} | \sqrt{2}
\sqrt[6]{8} | \sqrt2
\sqrt{6-2\sqrt5} | \sqrt5-1
\sqrt{\frac{1}{3}} | \frac{\sqrt3}{3}
\cos\frac{2\pi}{5} | \frac{\sqrt5-1}{4}
\frac{\sqrt{10}+\sqrt{2}}{\sqrt2} | 1+\sqrt5
x=2y | y=\frac{x}{2}
3x+4y=12 | y=3-\frac34x
\frac{x}{2}+\frac{y}{3}=1 | 3x+2y=6
x^2-5x+6=0 | (x-2)(x-3)=0
\text{(A) } | A
\text{B)} | B
\frac{a+b}{2} | \frac12(a+b)
a^2+2ab+b^2 | (a+b)^2
(x-1)(x^2+x+1) | x^3-1
\frac{1}{1-x} | \frac{-1}{x-1}
4\sqrt{3}\pi | 4\pi\sqrt3
\left\lfloor\frac{7}{2}\right\rfloor | 3
\frac{7}{4}\% | 1.75\%
0.5\% | \frac{1}{200}
\{(0,0),(1,1)\} | (1,1),(0,0)
(0,0)\text{ and }(1,1) | (1,1),(0,0)
-1 \text{ and } 1 | \pm 1
\begin{bmatrix}1\\2\\3\end{bmatrix} | \begin{pmatrix}1\\2\\3\end{pmatrix}
\begin{pmatrix}0.5\\1\end{pmatrix} | \begin{pmatrix}\frac12\\1\end{pmatrix}
-2\begin{pmatrix}1&0\\0&1\end{pmatrix} | \begin{pmatrix}-2&0\\0&-2\end{pmatrix}
(5, 3\pi/2) | \left(5,\frac{3\pi}{2}\right)
3 - 4i | 3-4\mathrm{i}
5\text{\%} | 5\%
\text{5} | 5
1.2\overline{3} | \frac{37}{30}
-\infty | -\infty
F_{n+1} | F_{1+n}
6.022e23 | 6.022\times10^{23}
\{x|x\ne 0\} | x\ne 0
2\text{A} | 2A
1,2;3,4 | (1,2),(3,4)
21,16 or 11 | 11,16,21
# commas that part thousands
1,234 | 1234
12,100 | 12100
1,000,000 | 1000000
100,000 | 100000
250,050,125 | 250050125
100{,}101 | 100101
100,\!101 | 100101
100\!,101 | 100101
\$120,150 | 120150
117,649 | 117649
1,25 | 1.25
-3,14 | -3.14
1,22 | 1.22
0,111 | 0.111
1000,99 | 1000.99
100,200 | 100200
100,101 | 101, 100
2,5 | 5, 2
# names of either sign
\sqrt{x^2} | |x|
|a| | \sqrt{a^2}
\sqrt{x^2y^2} | |xy|
\sqrt{x}\sqrt{y} | \sqrt{xy}
\sqrt{x^4} | x^2
\sqrt[3]{x^3} | x
\sqrt{x^3} | x\sqrt{x}
(\sqrt{x})^2 | \sqrt{x}\sqrt{x}
\sqrt{4x} | 2\sqrt{x}
\sqrt{9} | 3
\ln(xy) | \ln x + \ln y
\sqrt{a^2+b^2+c^2+d^2} | \sqrt{d^2+c^2+b^2+a^2}
# signs of other keyboards
\frac12 | ½
0.75 | ¾
\frac52 | 2½
3.5 | 3½
-\frac12 | -½
300000000 | 3 × 10⁸
3 \times 10^8 | 3×10⁸
10^{-3} | 10⁻³
0.001 | 10⁻³
x^{10} | x¹⁰
x^2 | x²
x^{12}+1 | x¹² + 1
12 | １２
\sin x | sin x
\sin x | sin(x)
sin x | sin(x)
\cos x | cosx
\ln x | ln x
2\sin x | 2 sin x
\frac12 | The answer is ½.
2.5 | The answer is 2½ cups.
C | \text{(C) } 5
C | (C) 5
C | (C)
\text{(C)} | \textbf{(C) }\frac{1}{2}
C | \textbf{(C)} 5
42 | \framebox{42}
42 | 42 \bmod 100
\sin\theta | sin θ
42 | 42 \pmod{100}
42 | 42 (mod 100)
42 | 42 \pmod {100}
42 | \boxed{\text{The answer is } 42}
\frac12 | \boxed{\text{The probability is } \frac12}
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
## exact numbers of any size, surds, constants
2^{2021} | 2^{2020}
100! | 100!+1
10^{-15} | 0
9^{9^{9^9}} | 9^{9^{9^9}}+1
9^{9^{9^9}} | 9^{9^{9^8}}
9^{9^9} | 9^{9^9}+1
10000000! | 10000001!
10000000! | 10000000!+1
2^{1000000} | 2^{1000001}
2^{1000000} | 2^{1000000}+1
2^{521} | 1
3^{10^9} | 3^{10^9+2}
\frac{10^{30}+1}{10^{30}} | 1
\frac{22}{7} | \pi
\frac{355}{113} | \pi
e^{\pi\sqrt{163}} | 262537412640768744
\sqrt{2}+\sqrt{3} | \pi
\sqrt{1000001} | 1000
\sqrt{10^{20}+1} | 10^{10}
(1,2) | (1,2]
\overline{AB} | AB+1
2^3^2 | 64
-3^2 | 9
i | -i
1e-15 | 0
\sqrt{8}-2\sqrt{2} | 10^{-400}
\frac{1}{0} | \frac{2}{0}
\frac{1}{0} | 0
32, 349 | 32349
10^{-15} | 10^{-16}
\sqrt{10^{40}+1} | 10^{20}
1/2 | 12
\frac{3000!}{2999!} | 3001
20! | 2432902008176640001
2^{100} | 2^{100}+1
\frac{10^{100}-1}{9} | \frac{10^{100}}{9}
e^{\pi} | \pi^e
\pi+e | \pi e
\sqrt{2}+\sqrt{7} | \sqrt3+\sqrt5
\sqrt[3]{2} | \sqrt2
1+10^{-50} | 1
\sqrt{1+10^{-40}} | 1
\sqrt{2}+10^{-25} | \sqrt{2}
-1 | 1
6-5i | 6+5i
## mixed numbers, separators, spellings
1000000007 | 1000000008
1 1/4 | 11/4
12 | 1 2
1 2 3 | 123
123 | 12 3
1\frac14 | \frac{11}{4}
-2\frac13 | -\frac53
-2\frac13 | -\frac23
0.33 | \frac13
0.333334 | \frac13
1/2x | \frac12x+1
0 | 10^{-400}
1000000 | 1000000.5
2\frac13 | \frac23
2\frac13 | 2\cdot\frac13
99999999999999999999 | 100000000000000000000
\frac13 | 0.333333333334
\sin 30 | \frac12
\log_2 3 | 1.58
1 000 | 1
1 2/3 | 1.2
1 2/3 | 4
3 1/2 | 3/2
## decimals
12345678.5 | 12345679.5
0.000000000000001 | 0
0.1+10^{-30} | 0.1
0.333333 | 0.3333333
3.14 | \pi
3.1416 | \pi
\sqrt{2} | 1.41421357
e | 2.718
\frac{2}{3} | 0.66666666667777
0.1 | 0.10000001
3.141593 | 3.141592
\ln 2 | 0.69
0.5\overline{3} | 0.53
0.\overline{9} | 0.9
1.0000001 | 1
999999.5 | 1000000
## names: polynomials, quotients, functions
5x | 5
ab^2 | aB^2
x | |x|
\ln x | \log x
|x| | x
\sin x | \sin 2x
x^2 | x^3
(x+1)^{100} | (x+1)^{101}
x^{1000} | x^{1001}
\vec a | a
\zeta(3) | 3\zeta
\sin x | x
\frac{x^2-1}{x-1} | x-1
n! | (n+1)!
(n+1)! | n!+1
x+y | x+z
x^2+1 | x^2+2
## equations and definitions
x=3 | y=3
f(x)=x | g(x)=x
2x+3=y | 2x+4=y
x^2=4 | x^2=5
y=2x | y=-2x
\sum_{k=1}^{n} k | \sum_{k=1}^{n} k^2
## assignments, lists, sets, tuples
x=1,y=2 | x=2,y=1
(x,y)=(1,2) | (x,y)=(2,1)
(x,y)=(1,2) | (y,x)=(1,2)
x=1,x=2 | x=1,x=3
x=1,x=2 | y=1,y=2
x=1,x=2 | x=1
1,1,2 | 1,2
\{1,2\} | \{1,2,2,3\}
\pm 2 | 2
(1,2) | \{1,2\}
1,2 | (2,1)
1,25 | 125
(x,y)=(1,2),(3,4) | (1,2)
(x,y)=(1,2),(3,4) | (1,3),(2,4)
a=1,b=2 | a=2,b=1
a=1,b=2 | c=1,d=2
1,2,3 | 1,2
1\pm\sqrt2 | 1\pm\sqrt3
1,000 | 1
## sets of real numbers
x<0 | x\le 0
x>3 | y>3
x\ne 0 | \mathbb{R}
\emptyset | \{0\}
\emptyset | 0
\mathbb{R} | \mathbb{Z}
[0,1]\cup[2,3] | [0,3]
(0,1)\cup(1,2) | (0,2)
x>3 | 3
2x<4 | x>2
(1,2) | [1,2]
\infty | -\infty
\infty | 2
x\ne\pm1 | x\ne 1
\mathbb{N} | \mathbb{Z}
(0,1) | [0,1]
(0,1)\cup(2,3) | (0,3)
## matrices and vectors
\begin{pmatrix}1&2\\3&4\end{pmatrix} | \begin{vmatrix}1&2\\3&4\end{vmatrix}
\begin{pmatrix}1&2\end{pmatrix} | \begin{pmatrix}2&1\end{pmatrix}
[[1,2],[3,4]] | [[1,3],[2,4]]
## units, percent, degrees, money
3.14160 | \pi
50\% | 0.5\%
50\% | 5000\%
5m | 5
5\text{ cm} | 5\text{ m}
\$5 | 5\text{ cents}
90^\circ | 90\text{ radians}
60^\circ | \frac{\pi}{4}
12\% | 0.012
## times, ratios, congruences
3:30 | 1:10
3:30 | 3:31
3:30 p.m. | 3:30 a.m.
2:3 | 3:2
1:2:3 | 1:2:4
12:00 | 1:00
n\equiv 3\pmod 5 | n\equiv 4\pmod 5
n\equiv 3\pmod 5 | n\equiv 3\pmod 7
5:00 a.m. | 17:00
## bases
101_2 | 5
101_2 | 101
101_2 | 101_3
## texts and letters
\text{five} | 5
\text{Tom} | \text{Tim}
A | B
\text{A} | \text{B}
## commas, and what ± stands for
(-11,240) | [-11,240]
(1,240) | 1240
1,2,3 | 123
100,200 | 100.2
1,000 | 1,001
\{\{1\},\{1,2\}\} | \{1,2\}
\{\{1,2\}\} | \{1,2,3\}
x=\pm 2 | x=2
\pm 3 | (3,-3)
(\pm 1,2) | (1,2)
2^{-2021} | 2^{-2020}
2^{-2021} | 0
10^{-1000}\sqrt2 | 10^{-1000}\sqrt3
x=1,y=2 | \{1,2\}
## units and factors
\pi r h | \pi r
2\pi r h | 2\pi r
\frac{1}{2} b h | \frac12 b
5 x | 5
12\text{ cm}^2 | 12\text{ cm}
1\text{ hour} | 1\text{ minute}
x^2 m | x^2
5 s t | 5
3i | 3
2 g h | 2 g
## more of each kind
x \ne 0 | x\ne 1
\mathbb{R}\setminus\{0\} | \mathbb{R}\setminus\{1\}
5^{2023}-5^{2022} | 4\cdot 5^{2021}
2^{50}+2^{50} | 2^{100}
101! | 100!\cdot 102
10^9+7 | 10^9+9
x^2>4 | x>2
-3\frac14 | -2.75
-3 1/4 | -\frac{11}{4}
7 3/8 | \frac{21}{8}
7 3 | 73
1 000 1 | 10001
1 0 | 10
2 5 | 25
x = 12 | x = 1 2
3^{1001}-3^{1000} | 3
2^{2^{2^2}} | 256
\sqrt{6-2\sqrt5} | 1-\sqrt5
\{\} | \{\emptyset\}
\{0\} | \emptyset
x=1 | x=-1
x=1,x=2 | x=1,y=2
t=5 | x=5
1\text{ m} | 1\text{ cm}
(-\infty,0)\cup(0,\infty) | (-\infty,\infty)
(-\infty,0]\cup[0,\infty) | (-\infty,0)\cup(0,\infty)
0.3 | 0.\overline{3}
0.333 | \frac13
10^{-15} | -10^{-15}
10^{-15} | 10^{-15}+10^{-31}
1000000007 | 1000000007.0000001
12345678.5 | 12345678.51
\frac{12345678}{12345679} | 1
\frac{12345678}{12345679} | \frac{12345679}{12345680}
e^{-40} | 0
\sin(10^{-20}) | 10^{-20}
\frac{\pi^4+\pi^5}{e^6} | 1
1,2;3,4 | 1,2,3,4
# commas that make lists
2,5 | 2.5
1,2 | \frac65
-2,1 | -2.1
0,5 | \frac12
12,5 | 12.5
1,000,2 | 10002
0,123 | 123
x = 2,5 | 2.5
1234,567 | 1234567
12,3456 | 123456
100,101 | 100.101
# names of either sign
x | \sqrt{x^2}
a | \sqrt{a^2}
(x^2)^{1/2} | x
\sqrt{x^2 y} | x\sqrt y
\sqrt{x^2y^2} | xy
\sqrt[4]{x^4} | x
\sqrt{x^2+2x+1} | x+1
\sqrt{a^2b} | a\sqrt{b}
2x | \sqrt{4x^2}
\sqrt{x^6} | x^3
|x| | x
\frac{\sqrt{x^2}}{x} | 1
# signs of other keyboards
2½ | \frac22
10⁻³ | 10^3
3 × 10⁸ | 3108
x¹² | x^2
\sin x | \cos x
C | (D) 5
C | (C)(5)
42 | 43 \pmod{100}
100 | 42 \pmod{100}
42 | 4 \pmod{100}
sin x | sin y
`;
