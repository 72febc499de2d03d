-- What is for others to call. Everything is set up by vim.lsp.enable("bug_lsp").
local M = {}

---What the agents are doing, "" while none works: %{v:lua.require'bug_lsp'.status()} in a statusline.
---@return string
function M.status()
  return require("bug_lsp.progress").status()
end

return M
