-- Code lenses of task files, which Neovim draws only when it is told to.
local M = {}

local MARKDOWN = { markdown = true, mdx = true }

---@param buf integer
local function draw(buf)
  if vim.api.nvim_buf_is_loaded(buf) and MARKDOWN[vim.bo[buf].filetype] then
    vim.lsp.codelens.refresh({ bufnr = buf })
  end
end

---Draw them now, and again when the text may have moved them.
---@param buf integer
function M.attach(buf)
  if not MARKDOWN[vim.bo[buf].filetype] then
    return
  end
  draw(buf)
  local group = vim.api.nvim_create_augroup("bug_lsp_lenses", { clear = false })
  vim.api.nvim_clear_autocmds({ group = group, buffer = buf })
  vim.api.nvim_create_autocmd({ "BufEnter", "InsertLeave" }, {
    group = group,
    buffer = buf,
    callback = function()
      draw(buf)
    end,
  })
end

---The server has other lenses than before.
---@param client_id integer
function M.refresh(client_id)
  local client = vim.lsp.get_client_by_id(client_id)
  for buf in pairs(client and client.attached_buffers or {}) do
    draw(buf)
  end
  return vim.NIL
end

return M
