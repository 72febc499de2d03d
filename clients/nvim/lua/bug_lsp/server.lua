-- The way to the server: its clients and its commands.
local message = require("bug_lsp.message")

local M = {}

M.NAME = "bug_lsp"

---The root of the project that a buffer belongs to. A file of no project starts no server.
---@param bufnr integer
---@param on_dir fun(root_dir?: string)
function M.root(bufnr, on_dir)
  local root = vim.fs.root(bufnr, ".git")
  local name = vim.api.nvim_buf_get_name(bufnr)
  if not root and (name == "" or vim.fs.relpath(assert(vim.uv.cwd()), name)) then
    root = vim.uv.cwd()
  end
  if root then
    on_dir(root)
  end
end

---All that run, that of the current buffer first.
---@return vim.lsp.Client[]
function M.clients()
  local here = vim.lsp.get_clients({ name = M.NAME, bufnr = 0 })
  for _, client in ipairs(vim.lsp.get_clients({ name = M.NAME })) do
    if not vim.list_contains(here, client) then
      here[#here + 1] = client
    end
  end
  return here
end

---@param command string
---@param argument table
---@return lsp.ExecuteCommandParams
local function params(command, argument)
  -- An empty table would be sent as a list.
  return { command = command, arguments = next(argument) and { argument } or nil }
end

---Run a command of the server. What it refuses is said to the user.
---@param command string
---@param argument table
---@param on_result? fun(result: table)
function M.run(command, argument, on_result)
  local client = M.clients()[1]
  if not client then
    message.warn("bug-lsp is not running: open a file of your project; see :checkhealth bug_lsp")
    return
  end
  client:request("workspace/executeCommand", params(command, argument), function(err, result)
    if err then
      message.warn(err.message)
    elseif on_result then
      on_result(result)
    end
  end)
end

---The result of a command at once, for completion; nil where it takes longer than one would wait.
---@param command string
---@param argument table
---@return table?
function M.ask(command, argument)
  local client = M.clients()[1]
  local timeout = 2000
  local answer = client
    and client:request_sync("workspace/executeCommand", params(command, argument), timeout)
  return answer and answer.result
end

return M
