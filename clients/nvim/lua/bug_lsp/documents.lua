-- Live documents, `bug-lsp:/...`: scratch buffers with the text that the server has for them.
local message = require("bug_lsp.message")
local server = require("bug_lsp.server")

local M = {}

---Buffers that are being read, and whether they are to be read once more after that.
---@type table<integer, boolean>
local reading = {}

---Replace only what differs: cursors, folds and marks in the rest stay where they are.
---@param buf integer
---@param text string
local function set_text(buf, text)
  local old = vim.api.nvim_buf_get_lines(buf, 0, -1, false)
  local new = vim.split(text:gsub("\n$", ""), "\n", { plain = true })
  local following = {}
  for _, win in ipairs(vim.fn.win_findbuf(buf)) do
    if vim.bo[buf].filetype ~= "diff" and vim.api.nvim_win_get_cursor(win)[1] == #old then
      following[#following + 1] = win
    end
  end
  local joined = { table.concat(old, "\n") .. "\n", table.concat(new, "\n") .. "\n" }
  local hunks = vim.diff(joined[1], joined[2], { result_type = "indices" }) --[[@as integer[][] ]]
  vim.bo[buf].modifiable = true
  for index = #hunks, 1, -1 do
    local from, removed, first, added = unpack(hunks[index])
    local start = removed == 0 and from or from - 1
    local lines = vim.list_slice(new, first, first + added - 1)
    vim.api.nvim_buf_set_lines(buf, start, start + removed, false, lines)
  end
  vim.bo[buf].modifiable = false
  vim.bo[buf].modified = false
  for _, win in ipairs(following) do
    vim.api.nvim_win_set_cursor(win, { vim.api.nvim_buf_line_count(buf), 0 })
  end
end

---@param buf integer
---@param clients vim.lsp.Client[] asked one after the other: each knows the runs of its project
local function read(buf, clients)
  local client = table.remove(clients, 1)
  if not client then
    reading[buf] = nil
    message.warn("no server knows " .. vim.api.nvim_buf_get_name(buf))
    return
  end
  local wanted = { uri = vim.api.nvim_buf_get_name(buf) }
  client:request("workspace/textDocumentContent", wanted, function(err, result)
    local again = reading[buf]
    if not vim.api.nvim_buf_is_loaded(buf) then
      reading[buf] = nil
    elseif err then
      read(buf, clients)
    else
      set_text(buf, result.text)
      reading[buf] = nil
      if again then
        M.read(buf, { client })
      end
    end
  end)
end

---Read a document, at most one request at a time.
---@param buf integer
---@param clients vim.lsp.Client[]
function M.read(buf, clients)
  if reading[buf] ~= nil then
    reading[buf] = true
  else
    reading[buf] = false
    read(buf, clients)
  end
end

---Make a buffer of this name a live document.
---@param buf integer
function M.open(buf)
  local options = vim.bo[buf]
  -- Before the filetype, whose autocommands would start a server for an ordinary buffer.
  options.buftype = "nofile"
  options.swapfile = false
  options.undolevels = -1
  options.modifiable = false
  options.filetype = vim.endswith(vim.api.nvim_buf_get_name(buf), ".diff") and "diff" or "markdown"
  M.read(buf, server.clients())
end

---The server has more text for a document.
---@param uri string
---@param client_id integer
function M.refresh(uri, client_id)
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buf) and vim.api.nvim_buf_get_name(buf) == uri then
      M.read(buf, { vim.lsp.get_client_by_id(client_id) })
    end
  end
  return vim.NIL
end

return M
