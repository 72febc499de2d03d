-- :checkhealth bug_lsp
local server = require("bug_lsp.server")

local M = {}

local TIMEOUT = 60000

---@param command string[]
local function check_agents(command)
  local done = vim.system(command, { text = true }):wait(TIMEOUT)
  local parsed, report = pcall(vim.json.decode, done.stdout, { luanil = { object = true } })
  if not parsed then
    vim.health.error(("`%s` says: %s"):format(table.concat(command, " "), done.stderr))
    return
  end
  vim.health.ok("bug-lsp " .. report.version)
  vim.health.start("bug-lsp: agents")
  for _, agent in ipairs(report.agents) do
    local name = agent.version and ("%s %s"):format(agent.agentType, agent.version)
      or agent.agentType
    if agent.ready then
      vim.health.ok(name)
    elseif agent.installed then
      vim.health.warn(agent.hint)
    else
      vim.health.info(agent.hint)
    end
  end
end

function M.check()
  vim.health.start("bug-lsp")
  if not vim.lsp.is_enabled(server.NAME) then
    vim.health.warn("it is not enabled", { 'Put vim.lsp.enable("bug_lsp") into your init.lua' })
  end
  local running = #server.clients()
  vim.health.info(running == 1 and "one server runs" or running .. " servers run")
  local config = vim.lsp.config[server.NAME]
  local cmd = config and config.cmd
  if type(cmd) ~= "table" or cmd[#cmd] ~= "serve" then
    vim.health.info("its cmd is your own, so the agents are not looked at")
  elseif vim.fn.executable(cmd[1]) == 0 then
    vim.health.error(cmd[1] .. " is not on your PATH", { "pip install 'bug-lsp[codex]'" })
  else
    local doctor = vim.list_extend(vim.list_slice(cmd, 1, #cmd - 1), { "doctor", "--json" })
    check_agents(doctor)
  end
end

return M
