-- The plug-in runs in Lightroom's Lua 5.1, which adds these globals and lets none be set.
std = "lua51"
max_line_length = false
read_globals = { "import", "LOC", "WIN_ENV", "MAC_ENV", "_PLUGIN" }
exclude_files = { ".tools", ".venv" }
