-- The user of Neovim in a test: picks from lists what the test has said, types what it has said, and
-- remembers what was asked.
_G.user = { asked = {}, picks = {}, typed = {} }

vim.ui.select = function(items, opts, on_choice)
  local lines = vim.tbl_map(opts.format_item or tostring, items)
  table.insert(user.asked, { prompt = opts.prompt, lines = lines })
  local pick = table.remove(user.picks, 1)
  for index, line in ipairs(lines) do
    if pick and vim.startswith(line, pick) then
      return on_choice(items[index], index)
    end
  end
  on_choice(nil)
end

vim.ui.input = function(opts, on_confirm)
  table.insert(user.asked, { prompt = opts.prompt, lines = {} })
  on_confirm(table.remove(user.typed, 1))
end

---What stands on the screen, trailing blanks left out.
function user.screen()
  vim.cmd.redraw()
  local lines = {}
  for row = 1, vim.o.lines do
    local cells = {}
    for column = 1, vim.o.columns do
      cells[column] = vim.fn.screenstring(row, column)
    end
    lines[row] = table.concat(cells):gsub("%s+$", "")
  end
  return table.concat(lines, "\n")
end

---The text of a buffer that is loaded; "" where there is none.
function user.text(name)
  local buf = vim.fn.bufnr(name)
  return vim.api.nvim_buf_is_loaded(buf)
      and table.concat(vim.api.nvim_buf_get_lines(buf, 0, -1, false), "\n")
    or ""
end
