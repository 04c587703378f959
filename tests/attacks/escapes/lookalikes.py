"""Letters that look like others: Python reads identifiers in their NFKC form, people and filters may not."""

PAYLOADS = {
    "a wide name": "y = ｏｐｅｎ('SECRET.txt')",
    "a name in script": "y = 𝓸𝓹𝓮𝓷('SECRET.txt')",
    "a bold name": "y = 𝐞𝐯𝐚𝐥('1')",
    "a name in fraktur": "y = 𝔤𝔩𝔬𝔟𝔞𝔩𝔰()",
    "one wide letter": "y = ｅxec('a = 1')",
    "a wide attribute": "y = np.ｌｏａｄ('SECRET.npy')",
    "a wide dunder": "y = x.__ｃｌａｓｓ__.__base__",
    "wide underscores": "y = x.＿＿class＿＿",
    "a ligature": "y = np.fromﬁle('SECRET.npy')",
    "a long s": "y = np.ſave('FOLDER/made', x)",
    "a superscript": "y = np.ma.corᵉ",
    "a wide import": "import ｏｓ; y = os.listdir('FOLDER')",
    "a wide keyword argument": "y = np.sum(v, axis=1, ｏｕｔ=x)",
    "an observable that looks like another": """
        def compute_reward(х, v):
            return {'a': v[:, 0]}
        """,
    "a name that shadows by its look": "оpen = 1.0; y = open('SECRET.txt')",
    "a builtin of its own making": "__ｂuiltins__ = {}; y = __builtins__['open']('SECRET.txt')",
    "a middle dot": "y = np·load('SECRET.npy')",
    "a zero-width joiner": "y = op‍en('SECRET.txt')",
    "a soft hyphen": "y = op­en('SECRET.txt')",
    "a right-to-left override in a name": "y = ‮nepo('SECRET.txt')",
    "a term's name in another script": "return {'ѕpeed': x}",
    "a term's name with an escape sequence": "return {'a\\x1b[2J': x}",
    "a term's name that ends its line": "return {'a\\nb': x}",
    "an escaped name": "y = getattr(np, '\\x6c\\x6f\\x61\\x64')('SECRET.npy')",
    "another encoding": """
        # -*- coding: utf-7 -*-
        def compute_reward(x, v):
            y = +AG8AcABlAG4-('SECRET.txt')
            return {'a': x}
        """,
}
