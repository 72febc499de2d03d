-- What :BugDebug is about: the task file, the lines, the diagnostics under the cursor, or a sentence.
local M = {}

---@param buf integer
---@param first integer counted from 0
---@param last integer
---@return lsp.Diagnostic[]
local function diagnostics(buf, first, last)
  local found = vim.tbl_filter(function(one)
    return one.source ~= "bug-lsp" and one.lnum <= last and (one.end_lnum or one.lnum) >= first
  end, vim.diagnostic.get(buf))
  return vim.lsp.diagnostic.from(found)
end

---@param args vim.api.keyset.create_user_command.command_args
---@param on_argument fun(argument: table) called with an argument of `debugWithAgents`
function M.get(args, on_argument)
  local buf = vim.api.nvim_get_current_buf()
  local uri = vim.uri_from_bufnr(buf)
  local lines = args.range > 0
  if not lines and vim.bo[buf].filetype == "markdown" then
    return on_argument({ taskUri = uri })
  end
  local first, last = args.line1 - 1, args.line2 - 1
  local context = {
    uri = uri,
    range = {
      start = { line = first, character = 0 },
      ["end"] = { line = lines and last + 1 or first, character = 0 },
    },
    diagnostics = diagnostics(buf, first, last),
  }
  if lines or #context.diagnostics > 0 then
    return on_argument({ context = context })
  end
  vim.ui.input({ prompt = "What is wrong? " }, function(title)
    if title and vim.trim(title) ~= "" then
      on_argument({ title = title, context = context })
    end
  end)
end

return M
