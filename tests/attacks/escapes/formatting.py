"""Through the formatting of text, which looks up attributes by name."""

PAYLOADS = {
    "str.format": "y = '{0.__class__.__base__}'.format(x)",
    "str.format of a global": "y = '{0.__globals__[__builtins__]}'.format(tolerance)",
    "str.format with an index": "y = '{0[0]}'.format(x)",
    "str.format through a variable": """
        t = '{0.__class__}'
        y = t.format(x)
        """,
    "format_map": "y = '{x.__class__}'.format_map({'x': x})",
    "format_map through a variable": """
        t = '{x.__class__}'
        y = t.format_map({'x': x})
        """,
    "an f-string": "y = f'{x.__class__.__base__}'",
    "an f-string with a call": "y = f'{open(\"SECRET.txt\").read()}'",
    "an f-string within its format": "y = f'{x:{v.__class__}}'",
    "an f-string that shows its source": "y = f'{x.__class__=}'",
    "percent": "y = '%s' % x",
    "percent with a mapping": "y = '%(x)s' % {'x': x}",
    "percent, then its length": """
        y = '%r' % tolerance
        z = len(y)
        """,
    "format": "y = format(x, '')",
    "str": "y = str(tolerance)",
    "repr": "y = repr(tolerance)",
    "ascii": "y = ascii(x)",
    "an array's format": "y = x.__format__('')",
    "numpy's own formatter": "y = np.array2string(x, formatter={'float': open})",
    "numpy's text arrays": "y = np.char.mod('%s', x)",
    "string.Formatter": """
        import string
        y = string.Formatter().vformat('{0.__class__}', (x,), {})
        """,
    "a template": """
        import string
        y = string.Template('$x').substitute(x=x)
        """,
    "a join": "y = ''.join(['o', 's'])",
    "text that is added": "y = '__cl' + 'ass__'",
    "text that is multiplied": "y = 'a' * 10**6",
    "text that is translated": "y = 'abc'.translate({97: 95})",
    "text that is encoded": "y = 'import os'.encode().decode('utf-16')",
    "bytes": "y = b'import os'.decode()",
}
