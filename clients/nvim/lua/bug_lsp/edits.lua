-- Edits that the server asks for, each of which one undo takes out, whatever is being typed.
local M = {}

---Close the undo block of the current buffer: what is inserted without a pause is one otherwise.
local function close_undo_block()
  vim.bo.undolevels = vim.bo.undolevels
end

---@param err lsp.ResponseError?
---@param params lsp.ApplyWorkspaceEditParams
---@param ctx lsp.HandlerContext
function M.apply(err, params, ctx)
  close_undo_block()
  local result = vim.lsp.handlers["workspace/applyEdit"](err, params, ctx)
  close_undo_block()
  return result
end

return M
