-- Messages to the user, none of which waits for a key: the whole text of a long one is in :messages.
local M = {}

---Show one line, cut to what fits: of a longer one Neovim wants it to be confirmed.
---@param line string
---@param highlight? string
function M.echo(line, highlight)
  local room = vim.v.echospace
  if vim.fn.strdisplaywidth(line) > room then
    line = vim.fn.strcharpart(line, 0, room - 3) .. "..."
  end
  vim.api.nvim_echo({ { line, highlight } }, false, {})
end

---Whether vim.notify is Neovim's own, which writes into the message area.
---@return boolean
local function is_plain()
  return vim.endswith(debug.getinfo(vim.notify, "S").source, "vim/_editor.lua")
end

---@param text string
---@param kind? lsp.MessageType Info if left out
function M.notify(text, kind)
  local types, levels = vim.lsp.protocol.MessageType, vim.log.levels
  local level = ({
    [types.Error] = levels.ERROR,
    [types.Warning] = levels.WARN,
    [types.Info] = levels.INFO,
  })[kind or types.Info] or levels.DEBUG
  if not is_plain() then
    vim.notify(text, level, { title = "bug-lsp" })
    return
  end
  local option = vim.o.messagesopt
  vim.o.messagesopt = (option:gsub("hit%-enter", "wait:0"))
  vim.notify(text, level)
  vim.cmd.redraw()
  vim.o.messagesopt = option
  local line = text:gsub("\n", " ")
  M.echo(line, level == levels.WARN and "WarningMsg" or nil)
end

---@param text string
function M.warn(text)
  M.notify(text, vim.lsp.protocol.MessageType.Warning)
end

return M
