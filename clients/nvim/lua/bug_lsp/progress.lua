-- What the agents are doing, from the progress that the server reports: for a statusline, and in the
-- message line of those who show progress nowhere else.
local message = require("bug_lsp.message")

local M = {}

local PAUSE = 250 -- milliseconds between two lines of news

---@type table<string, { label: string, message: string }>
local running = {}
local ended = {} ---@type string[] and not shown yet
local pending = false

---@return string[]
local function doing()
  local labelled = vim.tbl_values(running)
  table.sort(labelled, function(one, other)
    return one.label < other.label
  end)
  return vim.tbl_map(function(one)
    return one.message
  end, labelled)
end

---One line about all that run, "" while nothing does.
---@return string
function M.status()
  return table.concat(doing(), " | ")
end

---@return boolean
local function echoes()
  local shown_elsewhere = package.loaded["fidget"] or package.loaded["noice"]
  -- In other modes the line is in use.
  return vim.g.bug_lsp_echo ~= false and not shown_elsewhere and vim.api.nvim_get_mode().mode == "n"
end

local function show()
  pending = false
  vim.cmd.redrawstatus({ bang = true })
  local line = table.concat(vim.list_extend(ended, doing()), " | ")
  ended = {}
  if line ~= "" and echoes() then
    message.echo(line)
  end
end

---@param params { token: lsp.ProgressToken, value: table }
function M.hear(params)
  local token, value = tostring(params.token), params.value
  if not vim.startswith(token, "bug-lsp/") then
    return
  end
  if value.kind == "begin" then
    running[token] = { label = value.title:match("^[^:]*"), message = value.message or "" }
  elseif running[token] and value.kind == "report" then
    running[token].message = value.message or running[token].message
  elseif running[token] then
    ended[#ended + 1] = ("%s: %s"):format(running[token].label, value.message or "")
    running[token] = nil
  end
  if not pending then
    pending = true
    vim.defer_fn(show, PAUSE)
  end
end

return M
