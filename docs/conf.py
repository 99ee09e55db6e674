"""Sphinx: MyST Markdown with the Furo theme; `python scripts/build_docs` builds it."""

project = "pullfocus"
author = "the pullfocus founders"
copyright = "2026, the pullfocus founders"
extensions = ["myst_parser", "sphinx_copybutton"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["project/*.txt"]
html_theme = "furo"
html_title = "pullfocus"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {"footer_icons": []}
add_module_names = False
python_use_unqualified_type_names = True
maximum_signature_line_length = 88
