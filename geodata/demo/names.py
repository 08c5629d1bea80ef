"""Invented names of the demo county. None of them means a real place, school or person."""

from __future__ import annotations

import numpy as np

COUNTY = "澄溪县 Chengxi（合成 synthetic）"
COUNTY_SHORT = "澄溪县"
SUBDISTRICTS = ("城关街道", "新城街道", "滨河街道")
TOWNS = (
    "柳铺镇", "云桥镇", "双槐镇", "白鹤岗镇", "枣园铺镇", "望川镇", "平丰镇", "石泉镇", "三道河镇", "马头店镇",
    "东荆镇", "长岭沟乡", "青石崖乡", "五里坪乡",
)  # fmt: skip
RIVER = "澄溪河"
RAILWAY = "宁云铁路"
RESERVOIR = "龙潭沟水库"
STREAMS = ("柳溪", "石泉沟", "黑龙涧", "枣林沟", "清泉沟", "南涧", "双槐沟")

MAIN_EAST_WEST = ("南环路", "河堤路", "沿河路", "建设路", "人民路", "文昌路", "北环路", "朝阳路", "和平路")
"""From south to north; the second and third give way to the two bank streets."""
MAIN_NORTH_SOUTH = ("西环路", "工农路", "东风路", "中心大街", "学府路", "振兴路", "东环路", "世纪大道", "青年路")
"""From west to east."""
LANE_FIRST = (
    "健康", "光明", "文化", "育才", "友谊", "胜利", "新华", "向阳", "花园", "团结", "幸福", "民主", "平安", "锦绣",
    "康乐", "复兴", "科技", "富强", "兴业", "长安", "永安", "太平", "吉祥", "如意", "金桂", "银杏", "梧桐", "翠竹",
    "梅园", "桃园", "荷塘", "槐荫", "松柏", "菊香", "丁香", "海棠", "紫薇", "凤鸣", "龙翔", "鹿鸣", "书院", "城隍",
    "鼓楼", "钟楼", "文庙",
)  # fmt: skip
TOWN_STREETS = (
    "人民路", "中心街", "兴镇路", "文明路", "商贸街", "健康路", "迎宾路", "育才路", "新街", "老街", "繁荣路",
    "建设路",
)  # fmt: skip

ESTATE_FIRST = (
    "阳光", "锦绣", "金桂", "翠湖", "御景", "盛世", "和谐", "幸福", "书香", "紫荆", "丽水", "东方", "龙泽", "华府",
    "凤凰", "翰林", "碧水", "名门", "天和", "康乐", "怡景", "馨园", "滨河", "澄溪", "世纪", "春天", "富贵", "金色",
    "水岸", "学府", "文昌", "银河", "星河", "祥和", "福满", "桂花", "玉兰", "梧桐", "香樟", "帝景",
)  # fmt: skip
ESTATE_LAST = ("花园", "小区", "家园", "苑", "华庭", "新村", "名邸", "雅居", "佳苑", "新城", "湾", "里", "公寓", "府")
COMMUNITY_FIRST = (
    "东关", "西关", "南关", "北关", "文昌", "鼓楼", "书院街", "衙前", "城隍庙", "农机厂", "纺织厂", "化肥厂",
    "面粉厂", "粮库", "车站", "钢厂", "水利局", "百货楼", "大桥", "河沿", "菜园", "老城", "中心街", "育才", "光明",
    "向阳", "建设", "和平", "新华", "团结", "胜利", "东风", "红旗", "工农", "青年", "友谊", "朝阳", "振兴", "康宁",
    "安居", "民生", "丰乐", "兴隆", "平安", "永安", "顺河", "柳荫", "槐树", "十字街", "南大街", "北大街", "东大街",
    "西大街", "电厂", "酒厂", "烟站", "林场", "苗圃",
)  # fmt: skip
URBAN_VILLAGE = ("南关", "北关", "东郭", "西郭", "菜王", "河口", "桥头", "土门", "寨里", "高台", "柳园", "肖庄")
TOWN_COMMUNITY = (
    "中心", "东街", "西街", "南街", "北街", "新街", "集贸", "车站", "老街", "桥头", "粮站", "育才", "兴镇", "迎宾",
    "安置",
)  # fmt: skip

SURNAMES = (
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何", "郭",
    "马", "罗", "梁", "宋", "郑", "谢", "韩", "唐", "冯", "于", "董", "萧", "程", "曹", "袁", "邓", "许", "傅",
    "沈", "曾", "彭", "吕", "苏", "卢", "蒋", "蔡", "贾", "丁", "魏", "薛", "叶", "阎", "余", "潘", "杜", "戴",
    "夏", "钟", "汪", "田", "任", "姜",
)  # fmt: skip
PLAIN_LAST = ("庄", "家庄", "楼", "营", "集", "寨", "店", "堂", "屯", "桥", "湾", "铺", "堤", "村", "家", "老家")
HILL_LAST = ("沟", "坡", "岭", "家沟", "洼", "坪", "家坡", "崖", "窑", "山", "家岭", "峪", "涧", "洞")
PREFIXES = ("", "", "", "", "大", "小", "前", "后", "东", "西", "南", "北", "上", "下")
KINDERGARTENS = (
    "小太阳", "红苹果", "金摇篮", "蓝天", "启明星", "小天使", "七色花", "蓓蕾", "童心", "小博士", "爱心", "春蕾",
    "金色童年", "阳光宝贝", "智慧树", "小叮当", "欢乐谷", "向日葵", "苗苗", "星星", "未来", "小百灵", "彩虹",
    "育苗", "贝贝", "百花", "新蕾", "童星", "晨光", "小树", "快乐园", "小海豚", "蒲公英", "棒棒糖", "聪明屋",
    "博雅",
)  # fmt: skip


class NameMaker:
    """Draws names and never the same one twice within one pool."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._used: set[str] = set()

    def _keep(self, name: str) -> bool:
        fresh = name not in self._used
        self._used.add(name)
        return fresh

    def _draw(self, pool: tuple[str, ...]) -> str:
        return pool[int(self._rng.integers(len(pool)))]

    def draw_village(self, hilly: bool) -> str:
        """Return the name of a village: 李楼村, 上王家沟村."""
        while True:
            name = self._draw(PREFIXES) + self._draw(SURNAMES) + self._draw(HILL_LAST if hilly else PLAIN_LAST)
            if self._keep(name):
                return name if name.endswith("村") else name + "村"

    def draw_estate(self) -> str:
        """Return the name of a residential compound: 锦绣花园."""
        while True:
            name = self._draw(ESTATE_FIRST) + self._draw(ESTATE_LAST)
            if self._keep(name):
                return name

    def draw_from(self, pool: tuple[str, ...], last: str, first: str = "") -> str:
        """Return ``first + word + last`` with a word of ``pool``; once all are used up: 东关二社区, 柳铺东街南社区."""
        fresh = [word for word in pool if first + word + last not in self._used]
        if fresh:
            name = first + fresh[int(self._rng.integers(len(fresh)))] + last
            self._used.add(name)
            return name
        while True:
            name = first + self._draw(pool) + self._draw(("东", "西", "南", "北", "二", "三", "新")) + last
            if self._keep(name):
                return name
